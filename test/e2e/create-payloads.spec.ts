import fc from 'fast-check';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { PtyModule } from '../../src/pty/pty.module.js';
import {
  create,
  HOSTILE_DIRECTORIES,
  HOSTILE_SHELLS,
  MISSING_DIRECTORIES,
  NAMED_PAYLOADS,
  type Payload,
  payload,
} from '../support/create-payloads.js';
import { upgradeHead } from '../support/handshake.js';
import { childrenOf } from '../support/leaks.js';
import { type Program, useProgram } from '../support/program.js';
import { useTemporaryHome } from '../support/temporary-home.js';
import { useTestBed } from '../support/test-bed.js';
import { type Received, TestClient } from '../support/test-client.js';
import { listed } from '../support/test-server.js';
import { PATIENCE_MS, until } from '../support/until.js';

/** Before the bed: it is looked for leaks only when the programs have ended. */
const start = useProgram();
const bed = useTestBed();

/** Page faults of the children that this process has reaped (proc_pid_stat(5)): none lives too briefly to have any. */
function faultsOfTheReaped(): number {
  const stat = readFileSync('/proc/self/stat', 'latin1');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[8]);
}

/** JSON, as far as it tells rows of a table apart. */
const shown = (json: string): string => (json.length > 24 ? `${json.slice(0, 24)}… (${json.length})` : json);

describe('a session that nobody may have', () => {
  const home = useTemporaryHome();

  it('would be noticed by its process, however briefly that lived', async () => {
    const before = faultsOfTheReaped();
    const client = await bed.connect(await bed.serve({ cwd: home() }, PtyModule));
    const sessionId = await client.create();
    await client.next({ type: 'output' });
    client.send({ type: 'close', sessionId });
    await client.next({ type: 'exit' });
    expect(faultsOfTheReaped()).toBeGreaterThan(before);
  });

  it.each([
    ...HOSTILE_SHELLS.map((json) => ['T16', 'shell', shown(json), json, 'INVALID_SHELL']),
    ...HOSTILE_DIRECTORIES.map((json) => ['T17', 'cwd', shown(json), json, 'INVALID_CWD']),
  ])('%s · is refused, and no process started: %s of %s', async (_number, field, _shown, json, reason) => {
    const before = faultsOfTheReaped();
    const server = await bed.serve({ cwd: home() }, PtyModule);
    const client = await bed.connect(server);

    client.sendRaw(create(['cols', '80'], ['rows', '24'], ['requestId', '"r"'], [field, json]));

    const error = expect.any(String) as string;
    expect(await client.next({ type: 'error' })).toEqual({ type: 'error', requestId: 'r', reason, error });
    await client.sync();
    expect(client.messages.map(({ type }) => type)).toEqual(['error', 'tmux_sessions']);
    expect(await listed(server)).toEqual([]);
    expect([childrenOf('self'), faultsOfTheReaped()]).toEqual([[], before]);
  });

  it.each(MISSING_DIRECTORIES.map((json) => [shown(json), json]))(
    'T17 · fails before its process is started: cwd of %s',
    async (_shown, json) => {
      const before = faultsOfTheReaped();
      const server = await bed.serve({ cwd: home() }, PtyModule);
      const client = await bed.connect(server);

      client.sendRaw(create(['cols', '80'], ['rows', '24'], ['cwd', json]));

      const { sessionId } = await client.next({ type: 'session_created' });
      expect(await client.next({ type: 'error' })).toMatchObject({ sessionId, reason: 'INVALID_CWD' });
      expect(await client.next({ type: 'exit' })).toMatchObject({ sessionId, code: 127, cause: 'failed' });
      expect(await listed(server)).toEqual([]);
      expect([childrenOf('self'), faultsOfTheReaped()]).toEqual([[], before]);
    },
  );
});

describe('T21: a create of any kind', () => {
  const PAYLOADS = 10_000;
  const AT_ONCE = 50;
  const settings = {
    TREX_SHELL: '/bin/sh',
    TREX_MAX_SESSIONS: '1000',
    TREX_CREATE_BURST: '10000',
    TREX_CREATE_RATE: '10000',
    TREX_MESSAGE_BURST: '1000000',
    TREX_MESSAGE_RATE: '1000000',
  };

  type Opened = Payload & { readonly sessionId: string };

  /** Sends payloads in one go, and sees each of them through. */
  async function play(program: Program, payloads: readonly Payload[]): Promise<void> {
    const breaking = payloads.filter(({ outcome }) => outcome === 'the end');
    const others = payloads.filter(({ outcome }) => outcome !== 'the end');
    const client = await TestClient.connect(program);
    const lost = once(client.socket, 'close').then(() => Promise.reject(new Error('the connection is lost')));
    try {
      client.sendRaw(...others.map(({ frame }) => frame));
      await Promise.all(breaking.map(({ frame }) => breakConnection(program, frame as Buffer)));
      const closed = answers(client, others).then((opened) => closeAll(client, opened));
      // A server that has died says nothing more: that need not be waited for.
      await Promise.race([closed, lost]);
    } finally {
      lost.catch(() => undefined);
      await client.terminate();
    }
    await expectNothingLeft(program);
  }

  /** There is one answer to each, in their order; the news of sessions is among them. @returns the sessions */
  async function answers(client: TestClient, payloads: readonly Payload[]): Promise<Opened[]> {
    const isAnswer = ({ type, sessionId }: Received): boolean =>
      type === 'session_created' || (type === 'error' && sessionId === undefined);
    const opened: Opened[] = [];
    for (const one of payloads) {
      const { type, reason, sessionId } = await client.next(isAnswer);
      const isOpened = one.outcome === 'runs' || one.outcome === 'fails';
      const expected = isOpened ? 'session_created' : one.outcome;
      const told = reason ?? type;
      expect(told).not.toBe('INTERNAL');
      if (expected !== 'one of them') expect([one.frame, told]).toEqual([one.frame, expected]);
      if (sessionId !== undefined) opened.push({ ...one, sessionId });
    }
    return opened;
  }

  async function closeAll(client: TestClient, opened: readonly Opened[]): Promise<void> {
    for (const { sessionId, isUsed } of opened) {
      if (!isUsed) client.send({ type: 'close', sessionId });
      else {
        client.send(
          { type: 'resize', sessionId, cols: 90, rows: 30 },
          { type: 'input', sessionId, data: '#' },
        );
      }
    }
    for (const { sessionId, outcome } of opened.filter(({ isUsed }) => isUsed)) {
      await client.next({ type: outcome === 'fails' ? 'error' : 'output', sessionId });
      client.send({ type: 'close', sessionId });
    }
    for (const { frame, sessionId, outcome, isUsed } of opened) {
      const { cause } = await client.next({ type: 'exit', sessionId });
      if (outcome === 'runs') expect([frame, cause]).toEqual([frame, 'closed']);
      if (outcome === 'fails' && isUsed) expect([frame, cause]).toEqual([frame, 'failed']);
    }
  }

  /** Sends what a connection does not survive, over one of its own. */
  async function breakConnection({ port }: Program, bytes: Buffer): Promise<void> {
    const socket = connect(port, '127.0.0.1');
    let isClosed = false;
    socket.on('close', () => (isClosed = true)).on('error', () => undefined);
    socket.resume().write(Buffer.concat([Buffer.from(upgradeHead(`127.0.0.1:${port}`)), bytes]));
    await until(() => isClosed, 'the server hangs up').finally(() => socket.destroy());
  }

  async function expectNothingLeft({ exit, port, pid }: Program): Promise<void> {
    expect(exit).toBeUndefined();
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const answer = await fetch(`http://127.0.0.1:${port}/api/sessions`, { signal });
    expect([answer.status, await answer.json()]).toEqual([200, []]);
    await until(() => childrenOf(pid).length === 0, 'no process is left');
  }

  async function stopped(program: Program): Promise<void> {
    expect(program.stdout).not.toContain('"level":"error"');
    program.signal('SIGTERM');
    expect([await program.ended(), program.stderr]).toEqual([0, '']);
  }

  it('has one answer, and leaves the server as it was: each that has a name', async () => {
    const program = await start([], settings).listening();
    await play(program, NAMED_PAYLOADS);
    await stopped(program);
  });

  it('has one answer, and leaves the server as it was: 10,000, over real processes', async () => {
    let program = await start([], settings).listening();
    const { pid } = program;
    await fc.assert(
      fc.asyncProperty(fc.array(payload, { minLength: AT_ONCE, maxLength: AT_ONCE }), async (payloads) => {
        // Only where simpler payloads are looked for that fail too.
        if (program.exit) program = await start([], settings).listening();
        await play(program, payloads).catch(async (error: unknown) => {
          await program.kill();
          throw error;
        });
      }),
      { numRuns: PAYLOADS / AT_ONCE, interruptAfterTimeLimit: 240_000, markInterruptAsFailure: true },
    );
    expect(program.pid).toBe(pid);
    await stopped(program);
  }, 300_000);
});
