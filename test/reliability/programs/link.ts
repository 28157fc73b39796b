/**
 * Runs in a network namespace: a server there, and a client in another, between them a pair of interfaces, of which the
 * client’s goes down in the middle of a flood. See link.ts, which is told what was found.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { withUs } from '../../../bench/harness/children.js';
import { CuttingProxy } from '../../support/cutting-proxy.js';
import { until } from '../../support/until.js';
import { baselineOf, expectClean } from '../expect-clean.js';
import { type Found } from '../link.js';
import { Probe } from '../probe.js';
import { type Run } from '../run.js';
import { newRun } from '../run-scenario.js';
import { ServerUnderTest } from '../server-under-test.js';
import { type Asked, type Progress } from './client.js';

const [SERVER, CLIENT] = ['192.0.2.1', '192.0.2.2'];
const MASK = 30;
const DEAD_SECONDS = 10;
/** A flood goes on when so much more has come. */
const MORE_BYTES = 16_000_000;
/** Short of what anybody takes for the end of the other, even where the system is slow to try again. */
const SHORT_MS = 3000;
const LONG_MS = 60_000;

async function main(): Promise<Found> {
  const token = randomBytes(32).toString('base64url');
  const client = await RemoteClient.start(token);
  const server = await ServerUnderTest.start({
    settings: {
      TREX_HOST: SERVER,
      TREX_TOKEN: token,
      TREX_PING_SECONDS: '3',
      TREX_DEAD_SECONDS: String(DEAD_SECONDS),
    },
  });
  // Nobody comes through it: a run has one.
  const proxy = await CuttingProxy.start(server.port);
  try {
    const run = newRun(server, proxy, 0, 1);
    const baseline = await baselineOf(server);
    run.figures.sessionsAtOnce = 1;
    const begun = performance.now();
    const probe = await Probe.start();
    probe.begin(run.random);
    await client.begin(server.port);
    await goDownShortly(run, client);
    await goDownUntilNoticed(run, client);
    await end(run, client);
    await probe.end();
    run.figures.probeMaxMs = Math.max(...probe.echoMs);
    run.figures.seconds = (performance.now() - begun) / 1000;
    const problems = await expectClean(run, baseline, { echoP50Ms: Infinity, echoP99Ms: Infinity });
    return { figures: run.figures, problems };
  } finally {
    client.process.kill('SIGKILL');
    await proxy.close();
    await server.stop();
  }
}

/** The connection there is goes on: the system sends again what was lost. */
async function goDownShortly(run: Run, client: RemoteClient): Promise<void> {
  client.link('down');
  // That time passes is what is wrong.
  await delay(SHORT_MS);
  client.link('up');
  run.figures.faults += 1;
  if ((await client.goesOn()).resumes > 0) run.problems.push(`R02: a link was down for ${SHORT_MS} ms`);
}

/** The server lets go of the client, which comes back over a connection of its own. */
async function goDownUntilNoticed(run: Run, client: RemoteClient): Promise<void> {
  client.link('down');
  const begun = performance.now();
  const connections = async (): Promise<number> =>
    (await run.server.metrics()).get('trex_connections{trex_protocol="trex.v2"}') ?? NaN;
  await until(async () => (await connections()) === 0, 'it is noticed', LONG_MS);
  run.figures.halfOpenMs = performance.now() - begun;
  const most = 1.6 * DEAD_SECONDS * 1000 + 1000;
  if (run.figures.halfOpenMs > most)
    run.problems.push(`R02: it took ${run.figures.halfOpenMs} ms to be noticed, not ${most}`);
  client.link('up');
  run.figures.faults += 1;
  if ((await client.goesOn()).resumes === 0) run.problems.push('R02: nobody came back');
}

async function end(run: Run, client: RemoteClient): Promise<void> {
  const { bytes, inputBytes, resumes, problems } = await client.ask('end');
  Object.assign(run.figures, { sessions: 1, bytesChecked: bytes, inputBytes, resumes });
  run.problems.push(...problems);
}

/** A client whose namespace, with its end of the link, is there as long as it is; and with it the other end. */
class RemoteClient {
  private constructor(readonly process: ChildProcess) {}

  static async start(token: string): Promise<RemoteClient> {
    // Until it has said something it is not sure to be elsewhere, and what is made for it would be here.
    const script = 'echo elsewhere; read port; exec "$0" "$1" "$port" Infinity "$2"';
    const program = join(__dirname, 'client.js');
    const child = withUs(
      spawn('unshare', ['-n', 'sh', '-c', script, process.execPath, program, SERVER], {
        stdio: ['pipe', 'pipe', 'inherit', 'ipc'],
        env: { ...process.env, RELIABILITY_TOKEN: token },
      }),
    );
    await once(child.stdout!, 'data');
    const client = new RemoteClient(child);
    execFileSync('ip', ['link', 'set', 'lo', 'up']);
    execFileSync('ip', `link add here type veth peer name there netns ${child.pid}`.split(' '));
    execFileSync('ip', `address add ${SERVER}/${MASK} dev here`.split(' '));
    execFileSync('ip', ['link', 'set', 'here', 'up']);
    client.ip(`address add ${CLIENT}/${MASK} dev there`);
    client.link('up');
    return client;
  }

  /** Resolves when it is in the middle of a flood. */
  async begin(port: number): Promise<void> {
    const told = once(this.process, 'message');
    this.process.stdin!.end(`${port}\n`);
    await told;
    await this.goesOn();
  }

  link(state: 'up' | 'down'): void {
    this.ip(`link set there ${state}`);
  }

  /** Resolves when much more has come than now. */
  async goesOn(): Promise<Progress> {
    const { bytes } = await this.ask('progress');
    let now: Progress | undefined;
    const hasMore = async (): Promise<boolean> =>
      (now = await this.ask('progress')).bytes > bytes + MORE_BYTES;
    await until(hasMore, 'the flood goes on', LONG_MS);
    return now!;
  }

  async ask(asked: Asked): Promise<Progress> {
    const answered = once(this.process, 'message');
    this.process.send(asked);
    const [progress] = (await answered) as [Progress];
    return progress;
  }

  private ip(what: string): void {
    execFileSync('nsenter', ['-t', String(this.process.pid), '-n', 'ip', ...what.split(' ')]);
  }
}

process.once('disconnect', () => process.exit(1));
main().then(
  (found) => process.send?.(found, () => process.exit()),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
