import { type ChildProcess, fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { constants } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { TerminalClient } from '../../client/terminal-client.js';
import { READY, type ReturningClient, type Talk } from '../../bench/clients/returning-client.js';
import { withUs } from '../../bench/harness/children.js';
import { LineChecker } from '../../bench/programs/lines.js';
import { until } from '../support/until.js';
import { beginTalk, connectClient, patience } from './loads.js';
import { type Told } from './programs/client.js';
import { type Fault, type Run } from './run.js';
import { type ServerUnderTest } from './server-under-test.js';

const FOREIGN_BYTES_PER_SECOND = 65_536;
/** Two in which somebody would be let go of for nothing, and one that may have been on its way. */
const LOOKS = 3;
const SECOND_SIGNAL_AFTER_MS = 1000;
const AT_ONCE_MS = 1000;
const A_MINUTE_MS = 60_000;

/** R01: a client is killed, which the server notices within a second; whoever has its token goes on where it was. */
export const killClient: Fault = async (run) => {
  const before = await connections(run.server);
  const foreign = await ForeignClient.start(run);
  foreign.child.kill('SIGKILL');
  await noticed(run, before, 'clientKilledMs', 1000);
  await foreign.goOn(run);
};

/** R02: a client stands still, and answers nothing; the server lets go of it, and its session waits. */
export function stopClient(deadMs: number): Fault {
  return async (run) => {
    const before = await connections(run.server);
    const foreign = await ForeignClient.start(run);
    foreign.child.kill('SIGSTOP');
    // It is looked at with every ping, of which there are two in this time, and a busy machine is late.
    await noticed(run, before, 'halfOpenMs', 1.6 * deadMs + 1000);
    foreign.child.kill('SIGKILL');
    await foreign.goOn(run);
  };
}

/** R02: the network is silent, and a client takes another way before anybody has noticed. */
export const fallSilent: Fault = async (run) => {
  run.proxy.cut('silence');
  for (const { client } of run.clients) client.reconnect();
  await until(() => run.clients.every(({ arrivals }) => arrivals.length > 1), 'they are back');
  run.figures.faults += run.clients.length;
};

/** R03: what runs in sessions is killed, ends in the middle of a burst, or is stopped and then closed. */
export const endProcesses: Fault = async (run) => {
  const [killed, ended, stopped] = run.talks as [Talk, Talk, Talk];
  for (const talk of [killed, ended, stopped]) run.endedByFault.add(talk);
  process.kill(killed.pid, 'SIGKILL');
  process.kill(ended.pid, 'SIGTERM');
  await Promise.all([killed.ended(), ended.ended()]);
  process.kill(stopped.pid, 'SIGSTOP');
  const begun = performance.now();
  const { status } = await run.server.request('DELETE', `/api/sessions/${stopped.sessionId}`);
  run.figures.deleteStoppedMs = performance.now() - begun;
  await stopped.ended();
  if (status !== 204) run.problems.push(`R03: DELETE of a stopped process was answered with ${status}`);
  if (run.figures.deleteStoppedMs > patience(run, 3000))
    run.problems.push('R03: a stopped process took more than 3 s to end');
  for (const [talk, signal] of [
    [killed, 'SIGKILL'],
    [ended, 'SIGTERM'],
  ] as const)
    if (talk.exitedBy !== signal) run.problems.push(`R03: what ${signal} ended was told as ${talk.exitedBy}`);
  if (stopped.exits !== 1) run.problems.push(`R03: what was stopped had ${stopped.exits} exits`);
  if (run.server.processes().includes(stopped.pid)) run.problems.push('R03: a stopped process is left');
  run.figures.faults += 3;
};

/** R04: the server is asked to end; it says so to everybody, and leaves nothing. */
export const endServer: Fault = async (run) => {
  giveUpAll(run);
  run.server.signal('SIGTERM');
  run.figures.endMs = await run.server.ended();
  await Promise.all(run.watchers.map((watcher) => watcher.ended()));
  const { exit } = run.server;
  if (exit?.code !== 0) run.problems.push(`R04: it ended with ${exit?.code ?? exit?.signal}`);
  if (run.figures.endMs > patience(run, 8000))
    run.problems.push(`R04: it took ${run.figures.endMs} ms to end`);
  for (const { closeCode } of run.watchers)
    if (closeCode !== 1001) run.problems.push(`R04: a client was told ${closeCode}`);
  run.figures.faults += 1;
};

/** R04: somebody who will not wait tells it a second time, while a program that ignores both keeps it; nothing is left. */
export const endServerTwice: Fault = async (run) => {
  await ignoreHangUp(run);
  giveUpAll(run);
  run.server.signal('SIGTERM');
  await until(() => run.server.log.includes('SIGTERM: stopping'), 'it stops');
  // What comes sooner is the echo of the first: see src/serve.ts.
  await delay(SECOND_SIGNAL_AFTER_MS);
  if (run.server.exit) run.problems.push('R04: it has ended before it was told a second time');
  run.server.signal('SIGTERM');
  run.figures.endMs = await run.server.ended();
  const { exit } = run.server;
  if (exit?.code !== 128 + constants.signals.SIGTERM)
    run.problems.push(`R04: it ended with ${exit?.code ?? exit?.signal}`);
  if (run.figures.endMs > patience(run, AT_ONCE_MS))
    run.problems.push(`R04: it took ${run.figures.endMs} ms to end at once`);
  run.figures.faults += 1;
};

/** A program that ignores being hung up on, and so do those that it starts. */
async function ignoreHangUp(run: Run): Promise<void> {
  const client = await connectClient(run);
  const session = await client.client.create(
    { output: (_bytes, _offset, consumed) => consumed(), exit: () => undefined },
    { cols: 80, rows: 24 },
  );
  session.write(` exec /bin/sh -c 'trap "" HUP TERM; while :; do sleep 60; done'\n`);
  await until(() => run.server.runs('sleep'), 'it ignores that');
}

/** R05: the server is killed; nothing of its sessions is left, and clients learn of it when there is another. */
export const killServer: Fault = async (run) => {
  const old = [...run.talks];
  for (const talk of old) run.endedByFault.add(talk);
  run.server.signal('SIGKILL');
  await run.server.ended();
  const begun = performance.now();
  await until(() => run.server.processes().length === 0, 'what ran in its sessions has ended');
  run.figures.hangUpMs = performance.now() - begun;
  if (run.figures.hangUpMs > patience(run, 2000))
    run.problems.push(`R05: programs took ${run.figures.hangUpMs} ms to end`);
  await run.server.begin();
  // What its start takes is nobody's wait.
  await run.server.ask({ resets: true });
  const back = (client: ReturningClient): boolean => client.arrivals.at(-1)?.isServerNew === true;
  await until(() => run.clients.every(back), 'clients are back, and know that the server is new');
  await Promise.all(old.map((talk) => talk.ended()));
  await beginTalk(run, run.clients[0]!, FOREIGN_BYTES_PER_SECOND);
  run.figures.faults += 1;
};

/** R08: nobody reads the log any more, and whatever is written there fails. */
export const hangUpLog: Fault = (run) => {
  run.server.hangUpLog();
  run.figures.faults += 1;
  return Promise.resolve();
};

/** R09: the server's event loop stands still, and no client pays for that. */
export function stall(...durationsMs: readonly number[]): Fault {
  return (run) =>
    nobodyLeaves(run, async () => {
      for (const stallMs of durationsMs) {
        run.figures.stalledMs = (run.figures.stalledMs ?? 0) + stallMs;
        await run.server.ask({ stallMs });
        run.figures.faults += 1;
      }
    });
}

/** R10: the wall clock goes an hour ahead, and two back. */
export const jumpClock: Fault = async (run) => {
  const away = await connectClient(run);
  await beginTalk(run, away, FOREIGN_BYTES_PER_SECOND);
  const others = (await connections(run.server)) - 1;
  let wrongMs = 0;
  for (const jumpMs of [3_600_000, -7_200_000, 3_600_000]) {
    away.leave();
    await until(async () => (await connections(run.server)) <= others, 'it is seen to be away');
    await nobodyLeaves(run, () => run.server.ask({ jumpMs }), away);
    await away.comeBack();
    if (!away.arrivals.at(-1)?.isKnown) run.problems.push(`R10: a client was forgotten at ${jumpMs} ms`);
    wrongMs += jumpMs;
    // Else it was no jump that was survived.
    const { sessionId } = await beginTalk(run, away, FOREIGN_BYTES_PER_SECOND);
    const created = (await run.server.sessions()).find(({ id }) => id === sessionId);
    const foundMs = Date.parse(created?.createdAt ?? '') - Date.now();
    if (!(Math.abs(foundMs - wrongMs) < A_MINUTE_MS))
      run.problems.push(`R10: its clock was wrong by ${foundMs} ms, not ${wrongMs}`);
    run.figures.faults += 1;
  }
};

/** R15, over real sockets: clients create sessions and are gone before anything has started; most have come there by then. */
export function vanish(times: number): Fault {
  return async (run) => {
    const before = await sessionsCreated(run.server);
    for (let n = 0; n < times; n++) {
      const socket = new WebSocket(`ws://127.0.0.1:${run.proxy.port}/ws`, 'trex.v1');
      socket.on('error', () => undefined);
      await once(socket, 'open');
      socket.send(JSON.stringify({ type: 'create', cols: 80, rows: 24 }));
      // Somewhere on the way to a process that runs: how far that has come is what the time is for.
      if (n % 3 > 0) await delay(run.random() * 20);
      socket.terminate();
      run.figures.faults += 1;
    }
    const came = async (): Promise<boolean> => (await sessionsCreated(run.server)) - before >= times / 2;
    await until(came, 'sessions were created');
  };
}

/** A client in a process of its own. */
class ForeignClient {
  private constructor(
    readonly child: ChildProcess,
    private readonly told: Told,
  ) {}

  static async start({ proxy }: Run): Promise<ForeignClient> {
    const args = [String(proxy.port), String(FOREIGN_BYTES_PER_SECOND)];
    const child = withUs(fork(join(__dirname, 'programs/client.js'), args, { execArgv: [] }));
    const [told] = (await once(child, 'message')) as [Told];
    return new ForeignClient(child, told);
  }

  /** Becomes that client, reads everything from the beginning, and has its talker tell what it was typed. */
  async goOn(run: Run): Promise<void> {
    const { resumeToken, sessionId } = this.told;
    const client = new TerminalClient({
      open: () => new WebSocket(`ws://127.0.0.1:${run.proxy.port}/ws`, 'trex.v2'),
      resumeToken,
    });
    const welcome = await client.connect();
    const checker = new LineChecker();
    let begun = '';
    let isOver = false;
    const known = welcome.sessions.find((one) => one.sessionId === sessionId);
    if (!known || !('inputOffset' in known)) run.problems.push('a killed client was forgotten');
    const session = await client.attach(
      sessionId,
      {
        output: (bytes, _offset, consumed) => {
          if (READY.test(begun)) checker.add(bytes);
          else {
            begun += Buffer.from(bytes).toString('latin1');
            const ready = READY.exec(begun);
            if (ready) checker.add(Buffer.from(begun.slice(ready.index + ready[0].length), 'latin1'));
          }
          consumed();
        },
        gap: () => run.problems.push('I1: a killed client has lost output'),
        exit: () => (isOver = true),
        gone: (reason) => run.problems.push(`a killed client’s session is gone: ${reason}`),
      },
      { from: 0 },
    );
    const END = '\nEND\n';
    session.write(END);
    await until(() => isOver, 'its session ends');
    if (checker.wrongLines > 0) run.problems.push(`I1: ${checker.wrongLines} wrong lines after a resume`);
    const [, bytes = 0, digest] = checker.typed?.split(' ') ?? [];
    if (digest !== digestOf(Number(bytes), END) || Number(bytes) <= END.length)
      run.problems.push('I2: a killed client typed something else, or nothing');
    run.figures.bytesChecked += checker.offset;
    run.figures.inputBytes += Number(bytes);
    run.figures.resumes += 1;
    run.figures.faults += 1;
    run.figures.sessions += 1;
    client.close();
  }
}

/** Of the first so many bytes of what a foreign client types, but for `end` behind it. */
function digestOf(bytes: number, end: string): string {
  let typed = '';
  for (let n = 0; typed.length < bytes - end.length; n++) typed += `input ${String(n).padStart(8, '0')}\n`;
  return createHash('sha256')
    .update(typed.slice(0, bytes - end.length) + end)
    .digest('hex');
}

async function connections(server: ServerUnderTest): Promise<number> {
  return (await server.metrics()).get('trex_connections{trex_protocol="trex.v2"}') ?? NaN;
}

async function sessionsCreated(server: ServerUnderTest): Promise<number> {
  return (await server.metrics()).get('trex_session_created_total') ?? NaN;
}

/** Waits until the server has as many connections as before. */
async function noticed(run: Run, before: number, figure: string, withinMs: number): Promise<void> {
  const begun = performance.now();
  await until(async () => (await connections(run.server)) <= before, 'it is noticed', withinMs + 60_000);
  run.figures[figure] = performance.now() - begun;
  const most = patience(run, withinMs);
  if (run.figures[figure] > most) run.problems.push(`${figure} was ${run.figures[figure]}, not ${most}`);
}

/** No client, but for one, has to come back. */
async function nobodyLeaves(run: Run, task: () => Promise<unknown>, but?: ReturningClient): Promise<void> {
  const clients = run.clients.filter((client) => client !== but);
  const before = clients.map(({ arrivals }) => arrivals.length);
  await task();
  const begun = clients.map(({ pings }) => pings);
  const hasLeft = (): boolean => clients.some(({ arrivals }, n) => arrivals.length !== before[n]);
  const isSeen = (): boolean => clients.every(({ pings }, n) => pings >= begun[n]! + LOOKS);
  await until(() => hasLeft() || isSeen(), 'all are looked at');
  if (hasLeft()) run.problems.push('clients were let go of that had done nothing');
}

function giveUpAll(run: Run): void {
  run.isServerGone = true;
  for (const talk of run.talks) run.endedByFault.add(talk);
}
