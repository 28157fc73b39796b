import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { useClientPackage } from './client-package.js';

const ROOT = resolve(__dirname, '../..');
const PUBLIC = [
  'RequestFailed',
  'ServerViolation',
  'TerminalClient',
  'XtermAdapter',
  'subprotocols',
  'whenVisible',
];

/** Uses everything, and names the types. */
const CONSUMER = `
import {
  type Arrival, type AttachOptions, type BackoffOptions, type ClientHandlers, type Closure, type ConnectionState,
  type CreateOptions, type ErrorMessage, type Exit, type FailureReason, type GapBytes, type Limits, RequestFailed,
  type RemoteSession, ServerViolation, type SessionChange, type SessionHandlers, type SessionInfo, type SizeAt,
  type Socket, subprotocols, TerminalClient, type TerminalClientOptions, type Timers, type WatchHandlers, type Welcome,
  whenVisible, XtermAdapter, type XtermTerminal,
} from 'trex-client';

export type All = [
  Arrival, AttachOptions, BackoffOptions, ClientHandlers, Closure, ConnectionState, CreateOptions, ErrorMessage, Exit,
  FailureReason, GapBytes, Limits, SessionChange, SizeAt, TerminalClientOptions, Timers, Welcome,
];
export async function use(open: () => Socket, terminal: XtermTerminal, token?: string): Promise<RemoteSession> {
  const names: string[] = subprotocols(token);
  const client = new TerminalClient({ open, handlers: { state: (state, closure) => [state, closure?.code, names] } });
  const watching: WatchHandlers = {
    sessions: (list) => list.map(({ name }) => name),
    changed: (change, id, session?: SessionInfo) => [change, id, session?.title],
  };
  client.watch(watching);
  whenVisible(client)();
  const { limits: { frameBytes } } = await client.connect();
  const adapter = new XtermAdapter(terminal, { exit: ({ code, cause }) => [code, cause, frameBytes] });
  const handlers: SessionHandlers = adapter.handlers;
  try {
    adapter.connect(await client.attach('s1', handlers, { from: 0, readOnly: true }));
  } catch (error) {
    if (error instanceof ServerViolation) throw error;
    if (error instanceof RequestFailed && error.reason !== 'SESSION_NOT_FOUND') throw error;
  }
  const session = await client.create(handlers, { cols: 80, rows: 24 });
  const done: boolean = session.write('ls\\r') && session.resize({ cols: 90, rows: 30 });
  if (!done || client.readOnly || session.isOver) session.close();
  return session;
}
// @ts-expect-error: it is no affair of anybody's.
export { Acknowledger } from 'trex-client';
`;

describe('the package of the client', () => {
  const project = useClientPackage([]);
  const folder = (): string => join(project().folder, 'node_modules/trex-client');
  const read = (name: string): string => readFileSync(join(folder(), name), 'utf8');

  it('has what is published, and nothing else', () => {
    const names = ['LICENSE', 'README.md', 'package.json', 'trex-client.d.ts', 'trex-client.js'];
    expect(readdirSync(folder()).sort()).toEqual(names);
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
    const manifest = JSON.parse(read('package.json')) as Record<string, unknown>;
    expect(manifest).toMatchObject({ name: 'trex-client', version, type: 'module', license: 'MIT' });
    expect(manifest).not.toHaveProperty('dependencies');
  });

  it('imports nothing, and exports what it says', async () => {
    expect(read('trex-client.js')).not.toMatch(/\bimport\b|\brequire\(|from ["']/);
    expect(read('trex-client.d.ts')).not.toMatch(/^(import|export .* from)\b|\bimport\(/m);
    project().write('names.mjs', `import * as all from 'trex-client'; console.log(Object.keys(all).join());`);
    expect((await project().node(['names.mjs'])).trim()).toBe([...PUBLIC].sort().join());
  });

  it.each([
    ['that is bundled', { module: 'esnext', moduleResolution: 'bundler' }],
    ['that Node runs', { module: 'nodenext' }],
  ])('has types that need nobody else’s, for a program %s', async (_, options) => {
    project().write('package.json', '{ "type": "module" }');
    project().write('consumer.ts', CONSUMER);
    const strictest = { skipLibCheck: false, lib: ['es2022'], types: [] };
    await project().checkTypes({ ...strictest, ...options }, ['consumer.ts']);
  });
});
