import { closeSync, openSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { ReturningClient, Talk } from '../../bench/clients/returning-client.js';
import { TestClient } from '../support/test-client.js';
import { until } from '../support/until.js';
import { type Figures } from './run.js';
import { type Circumstances, ServerUnderTest } from './server-under-test.js';

/** A user that runs nothing else, so that what it may run is known. Only root can take its identity. */
const NOBODY_ELSE = 64_123;
const SPARE_SOCKETS = 20;

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

export function unlessRoot(): string | undefined {
  return isRoot() ? undefined : 'root is not bound by these limits, and only root can become another user';
}

/** Servers under a limit, one after the other: each refuses in words what it has no room for, and goes on. */
export function sweep(limit: 'n' | 'u', from: number, to: number) {
  return async (figures: Figures): Promise<string[]> => {
    const problems: string[] = [];
    for (let most = from; most <= to; most++) {
      const first =
        limit === 'n' ? `ulimit -n ${most}` : `ulimit -u ${most} 2>/dev/null || ulimit -p ${most}`;
      const found = await underLimit({ first, ...(isRoot() && { uid: NOBODY_ELSE }) }, figures).catch(
        (error: Error) => [error.message],
      );
      problems.push(...found.map((problem) => `at ${most}: ${problem}`));
      figures.faults += 1;
    }
    return problems;
  };
}

async function underLimit(circumstances: Circumstances, figures: Figures): Promise<string[]> {
  const server = await ServerUnderTest.start(circumstances);
  try {
    const problems = await fillAndEmpty(server, figures);
    if (server.stderr !== '') problems.push(`it complains: ${server.stderr.slice(0, 300)}`);
    const code = await server.stop();
    return code === 0 ? problems : [...problems, `it ended with ${server.exit?.code ?? server.exit?.signal}`];
  } finally {
    await server.stop();
  }
}

/** Sessions until one is refused, then connections; when all have gone, both are there again. */
async function fillAndEmpty(server: ServerUnderTest, figures: Figures): Promise<string[]> {
  const problems: string[] = [];
  const client = await TestClient.connect(server);
  const open = async (): Promise<{ id: string; reason?: string }> => {
    client.send({ type: 'create', cols: 80, rows: 24 });
    const {
      sessionId: id = '',
      type,
      reason,
    } = await client.next(({ type }) => type === 'session_created' || type === 'error');
    if (type === 'error') return { id, reason };
    const next = await client.next((one) => one.sessionId === id && ['output', 'error'].includes(one.type));
    return next.type === 'error' ? { id, reason: next.reason } : { id };
  };
  /** What its program says to a line that is typed; nothing of it needs another process. */
  const saysWord = async (sessionId: string, word: string): Promise<void> => {
    client.send({ type: 'input', sessionId, data: `echo "<${word}"">"\r` });
    await client.untilOutput(sessionId, `<${word}>`);
  };
  // What is opened once for all stays open.
  const first = await open();
  if (first.reason === undefined) {
    client.send({ type: 'close', sessionId: first.id });
    await client.next({ type: 'exit', sessionId: first.id });
  }
  await until(() => server.descriptors().masters === 0, 'its terminal is closed');
  const before = server.descriptors().all;
  const live: string[] = [];
  let refusal: string | undefined;
  while (refusal === undefined && live.length < 100) {
    const { id, reason } = await open();
    refusal = reason;
    if (reason === undefined) live.push(id);
  }
  figures.sessions += live.length;
  if (refusal !== 'SESSION_LIMIT')
    problems.push(`a session was refused with ${refusal}, after ${live.length}`);
  const sockets = await manySockets(server.port);
  // Where there is no room for more, what runs goes on.
  for (const [n, sessionId] of live.entries()) await saysWord(sessionId, `word-${n}`);
  for (const socket of sockets) socket.destroy();
  for (const sessionId of live) client.send({ type: 'close', sessionId });
  for (const sessionId of live) await client.next({ type: 'exit', sessionId });
  await until(
    async () => (await server.get('/api/sessions').catch(() => '')) === '[]',
    'it answers, and has none',
  );
  await until(() => server.descriptors().all <= before, `it has ${before} descriptors again`).catch(() =>
    problems.push(`I5: ${server.descriptors().all} descriptors, not ${before}`),
  );
  if (live.length > 0) {
    const { id, reason } = await open();
    if (reason === undefined) client.send({ type: 'close', sessionId: id });
    else problems.push(`after all were closed, one was refused with ${reason}`);
  }
  await client.close();
  await until(() => server.processes().length + server.children().length === 0, 'no process is left');
  await until(() => server.descriptors().masters === 0, 'no terminal is open');
  return problems;
}

/** Connections, whether or not there is room for them. */
async function manySockets(port: number): Promise<Socket[]> {
  const sockets = Array.from({ length: SPARE_SOCKETS }, () => connect(port, '127.0.0.1'));
  const settled = (socket: Socket): Promise<unknown> =>
    new Promise((resolve) => socket.once('connect', resolve).once('error', resolve));
  await Promise.all(sockets.map(settled));
  return sockets;
}

/** R08 from the start. */
export async function logToFullDisk(figures: Figures): Promise<string[]> {
  const full = openSync('/dev/full', 'w');
  const server = await ServerUnderTest.start({ logTo: full, settings: { TREX_LOG_LEVEL: 'debug' } });
  closeSync(full);
  try {
    const client = new ReturningClient(server.port);
    await client.client.connect();
    const talk = new Talk();
    await talk.begin(client, 65_536);
    client.leave();
    await client.comeBack();
    const { wrongLines, wrongInput } = await talk.end();
    client.client.close();
    figures.bytesChecked += talk.checker.offset;
    figures.resumes += 1;
    figures.faults += 1;
    await until(() => server.descriptors().masters === 0, 'no terminal is open');
    await until(() => server.processes().length + server.children().length === 0, 'no process is left');
    const code = await server.stop();
    return [
      wrongLines + wrongInput > 0 ? 'I1, I2: something was lost' : '',
      code === 0 ? '' : `it ended with ${code}`,
      server.stderr,
    ].filter(Boolean);
  } finally {
    await server.stop();
  }
}
