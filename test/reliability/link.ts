import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { withUs } from '../../bench/harness/children.js';
import { type Figures } from './run.js';

/** What the program of that name has found. */
export interface Found {
  readonly figures: Figures;
  readonly problems: readonly string[];
}

/** What it takes; of what this leaves nothing is left, for the namespace goes with it. */
const TRIAL = 'ip link add here type veth peer name there && nsenter -t $$ -n ip link show here';

export function unlessNamespaces(): string | undefined {
  const { status, stderr, error } = spawnSync('unshare', ['-n', 'sh', '-c', TRIAL], { encoding: 'utf8' });
  if (status === 0) return undefined;
  const why = error?.message ?? stderr.trim();
  return `root, and \`ip\`, \`unshare\` and \`nsenter\` are needed to make network namespaces: ${why}`;
}

/** R02 with an interface that goes down. All is in a namespace of its own, and goes with it: this machine’s network stays as it is. */
export async function loseLink(figures: Figures): Promise<string[]> {
  const program = join(__dirname, 'programs/link.js');
  const child = withUs(
    spawn('unshare', ['-n', process.execPath, '--enable-source-maps', program], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    }),
  );
  const ended = once(child, 'exit');
  const found = await Promise.race([once(child, 'message') as Promise<[Found]>, ended.then(() => [])]);
  await ended;
  const [{ figures: more, problems } = { figures: {}, problems: ['R02: it ended without a word'] }] = found;
  Object.assign(figures, more);
  return [...problems];
}
