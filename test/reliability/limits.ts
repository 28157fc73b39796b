import { writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { ReturningClient } from '../../bench/clients/returning-client.js';
import { Claims } from '../support/claims.js';
import { TestClient } from '../support/test-client.js';
import { PATIENCE_MS, until } from '../support/until.js';
import { type Figures } from './run.js';
import { type Circumstances, ServerUnderTest } from './server-under-test.js';

/** A user that runs nothing else, so that what it may run is known. Only root can take its identity. */
const NOBODY_ELSE = 64_123;
const SPARE_SOCKETS = 20;
/** So many numbers show that it goes on. */
const MANY = 1000;
/** More than one of its lines has. */
const LINE_BYTES = 20;

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
  const counting = first.reason === undefined ? await Counting.begin(server) : undefined;
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
  if (counting) {
    problems.push(...(await counting.end()));
    figures.sessions += 1;
    figures.bytesChecked += counting.bytes;
  }
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

/** A shell that counts as fast as it can, which takes no other process: the load beside which others are refused. */
class Counting {
  bytes = 0;
  /** How far it says that it has counted, in the end. */
  private last = NaN;
  private exits = 0;
  private next = 1;
  private rest = '';
  private readonly problems: string[] = [];
  private readonly claims = new Claims();

  private constructor(
    private readonly client: ReturningClient,
    /** It counts until that is there. */
    private readonly stop: string,
  ) {}

  static async begin({ port, folder }: ServerUnderTest): Promise<Counting> {
    const client = new ReturningClient(port);
    await client.client.connect();
    const counting = new Counting(client, join(folder, 'stop'));
    const session = await client.client.create(
      {
        output: (bytes, _offset, consumed) => {
          counting.look(Buffer.from(bytes).toString('latin1'));
          consumed();
        },
        gap: () => counting.problems.push('I1: there was a gap in what was counted'),
        exit: () => counting.see(() => (counting.exits += 1)),
        gone: () => counting.see(() => (counting.exits += 1)),
      },
      { cols: 80, rows: 24 },
    );
    session.write('n=0; until [ -e "$HOME/stop" ]; do n=$((n+1)); echo "<$n>"; done; echo "last $n"; exit\n');
    await counting.until(() => counting.next > MANY);
    return counting;
  }

  /** Has it stop, once it has gone on for a while, and its shell end. @returns what was wrong, in words */
  async end(): Promise<string[]> {
    const { next } = this;
    await this.until(() => this.next > next + MANY);
    writeFileSync(this.stop, '');
    await this.until(() => this.exits > 0);
    if (this.next - 1 !== this.last)
      this.problems.push(`I1: it counted to ${this.last}, not ${this.next - 1}`);
    if (this.exits > 1) this.problems.push(`I8: it had ${this.exits} exits`);
    if (this.client.arrivals.length > 1) this.problems.push('I1: a connection was lost for nothing');
    this.client.client.close();
    return this.problems;
  }

  private look(text: string): void {
    this.bytes += text.length;
    const all = this.rest + text;
    let end = 0;
    for (const { 0: line, 1: number, index } of all.matchAll(/<(\d+)>\r\n/g)) {
      if (Number(number) !== this.next) this.problems.push(`I1: ${number} came where ${this.next} belongs`);
      this.next = Number(number) + 1;
      end = index + line.length;
    }
    this.rest = all.slice(end).slice(-LINE_BYTES);
    this.last = Number(/last (\d+)\r\n/.exec(this.rest)?.[1] ?? this.last);
    this.claims.look();
  }

  private see(what: () => void): void {
    what();
    this.claims.look();
  }

  private until(claim: () => boolean): Promise<void> {
    return this.claims.until(claim, () => `it counts on from ${this.next}`, PATIENCE_MS);
  }
}
