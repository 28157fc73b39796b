import { setTimeout as delay } from 'node:timers/promises';
import { ReturningClient, Talk } from '../../bench/clients/returning-client.js';
import { quantile } from '../../bench/harness/statistics.js';
import { until } from '../support/until.js';
import { IDLE_SHARE, largest, PROBE_TIMES } from './expect-clean.js';
import { watchExits } from './exit-watch.js';
import { type Load, type Run } from './run.js';
import { Watcher } from './watcher.js';

const KIB = 1024;
/** An echo that is still awaited when a run is over counts as late if it has been for so long. */
const OUTSTANDING_MS = 500;
const LOOK_MS = 50;
/** Somebody who closes a session does not wait for a flood in another. */
const CLOSED_MS = 200;
const CLOSINGS = 3;
/** To come back takes a moment, too, and longer on a busy machine. */
const RETURNED_SHARE = 0.5;

/** As long as is promised, or three times what the bare probe beside it has waited at most, where that is more. */
export function patience({ probeMs }: Run, promisedMs: number): number {
  return Math.max(promisedMs, PROBE_TIMES * largest(probeMs));
}

/** Where that goes which a machine without time left is no reason for: else it is a note. */
function asFarAsCan({ figures: { idleShare = 1 }, problems, notes }: Run): string[] {
  return idleShare < IDLE_SHARE ? notes : problems;
}

export interface Talkers {
  readonly clients: number;
  readonly sessionsEach: number;
  readonly bytesPerSecond: number;
  /** In each session. */
  readonly keysPerSecond: number;
  /** Others who look at each session, over connections of their own. */
  readonly watchers?: number;
  /** Each client loses its connection about so often, give or take a half: in a run of a few times that, how often is chance. */
  readonly reconnectEveryMs?: number;
}

/** Sessions that print lines which say where they belong, are typed what they digest, and are asked for echoes. */
export function talkers(about: Talkers): Load {
  const { clients, sessionsEach, bytesPerSecond, keysPerSecond, watchers = 0, reconnectEveryMs } = about;
  const going: Promise<void>[] = [];
  return {
    async begin(run) {
      run.figures.sessionsAtOnce = clients * sessionsEach;
      run.bytesPerSecond = clients * sessionsEach * bytesPerSecond;
      for (let n = 0; n < clients; n++) {
        const client = await connectClient(run);
        // All at once they would share the processors until none has begun in time.
        for (let each = 0; each < sessionsEach; each++) await beginTalk(run, client, bytesPerSecond);
      }
      for (const talk of run.talks)
        for (let n = 0; n < watchers; n++) run.watchers.push(await Watcher.begin(run.watchersPort, talk));
      going.push(...run.talks.map((talk) => typeInto(talk, keysPerSecond, run)));
      if (reconnectEveryMs !== undefined)
        going.push(...run.clients.map((client) => comeAndGo(client, reconnectEveryMs, run)));
    },
    async end(run) {
      await Promise.all(going);
      await endTalks(run);
      const due = reconnectEveryMs ? (clients * run.seconds * 1000) / reconnectEveryMs : 0;
      if (run.figures.resumes < RETURNED_SHARE * due)
        asFarAsCan(run).push(`clients came back ${run.figures.resumes} times, not about ${due}`);
    },
  };
}

/** A client that has come, and all that it is sent is looked at. */
export async function connectClient(run: Run): Promise<ReturningClient> {
  const found = (problem: string): void => void run.problems.push(problem);
  const client = new ReturningClient(run.proxy.port, undefined, (socket) => watchExits(socket, found));
  run.clients.push(client);
  await client.client.connect();
  return client;
}

export async function beginTalk(
  run: Run,
  client: ReturningClient,
  bytesPerSecond: number,
  mostBytes?: number,
): Promise<Talk> {
  const talk = new Talk();
  await talk.begin(client, bytesPerSecond, mostBytes);
  run.talks.push(talk);
  run.figures.sessions += 1;
  return talk;
}

/** Ends all that still talk, and counts what was checked. */
export async function endTalks(run: Run): Promise<void> {
  const { talks, clients, watchers, figures, problems, endedByFault } = run;
  const going = talks.filter((talk) => !endedByFault.has(talk));
  const ends = await Promise.all(going.map((talk) => talk.end()));
  for (const [n, { wrongInput }] of ends.entries())
    if (wrongInput > 0) problems.push(`I2: ${going[n]!.sessionId} was typed something else`);
  if (!run.isServerGone) await Promise.all(watchers.map((watcher) => watcher.ended()));
  for (const { checker, gaps, gapBytes } of [...talks, ...watchers]) {
    figures.bytesChecked += checker.offset - gapBytes;
    figures.gaps += gaps;
    figures.gapBytes += gapBytes;
  }
  figures.inputBytes += talks.reduce((sum, { typedBytes }) => sum + typedBytes, 0);
  figures.resumes += clients.reduce((sum, { arrivals }) => sum + Math.max(0, arrivals.length - 1), 0);
  if (!run.isServerGone) await untilBack(run);
  for (const { client } of clients) client.close();
  for (const watcher of watchers) watcher.close();
}

/** Who leaves while it comes back tells nobody: the server would wait for it. */
async function untilBack({ proxy, clients, problems }: Run): Promise<void> {
  proxy.spare();
  const areBack = (): boolean => clients.every(({ client }) => client.state === 'open');
  await until(areBack, 'clients are back').catch((error: Error) => problems.push(error.message));
}

/** Types until the run is over: what is digested, and now and then what is answered. */
export async function typeInto(talk: Talk, keysPerSecond: number, run: Run): Promise<void> {
  const everyMs = 1000 / keysPerSecond;
  while (!run.isOver && !run.endedByFault.has(talk)) {
    // Out of step with the others, and with whatever goes on at regular times.
    await delay(everyMs * (0.5 + run.random()));
    const { isLate } = run;
    talk.type();
    const echo = await echoOf(talk, run);
    if (echo !== undefined) note(echo, everyMs, isLate || run.isLate ? run.lateEchoMs : run.echoMs);
  }
}

/**
 * Whoever waits for one echo does not type meanwhile: what would have been typed every so often counts as well, with what it
 * would have waited (coordinated omission; G. Tene, "How NOT to Measure Latency"). Else a standstill is one late echo of many.
 */
export function note(echoMs: number, everyMs: number, into: number[]): void {
  for (let ms = echoMs; ms > 0; ms -= everyMs) into.push(ms);
}

/** How long its echo takes, in milliseconds, or has taken until it is waited for no more; of a moment only, nothing. */
async function echoOf(talk: Talk, run: Run): Promise<number | undefined> {
  const typed = performance.now();
  let isAnswered = false;
  const answer = talk.echo().finally(() => (isAnswered = true));
  while (!isAnswered && !run.endedByFault.has(talk) && talk.exits + talk.lost === 0) {
    const waitedMs = performance.now() - typed;
    if (run.isOver) return waitedMs < OUTSTANDING_MS ? undefined : waitedMs;
    await Promise.race([answer, delay(LOOK_MS)]);
  }
  return isAnswered ? answer : undefined;
}

async function comeAndGo(client: ReturningClient, everyMs: number, run: Run): Promise<void> {
  while (!run.isOver) {
    await delay(everyMs * (0.5 + run.random()));
    if (run.isOver) return;
    client.leave();
    await delay(everyMs * 0.1 * run.random());
    await client.comeBack();
  }
}

/** One session prints as fast as it can, `mostBytes` of it; another is typed into meanwhile, and a third one closed. */
export function firehose(mostBytes: number): Load {
  let typing: Promise<void> | undefined;
  let hose: Talk | undefined;
  /** Until all has come, however long that takes on a machine that does other things as well. */
  const done = async (): Promise<void> => {
    while (hose!.checker.offset < mostBytes && hose!.checker.wrongLines === 0) await delay(20);
  };
  return {
    done,
    async begin(run) {
      run.figures.sessionsAtOnce = 3;
      const [fast, calm] = [await connectClient(run), await connectClient(run)];
      run.figures.quietDeleteMs = await closeSome(run, calm);
      hose = await beginTalk(run, fast, Infinity, mostBytes);
      const other = await beginTalk(run, calm, 0);
      typing = typeInto(other, 20, run);
      run.figures.deleteMs = await closeSome(run, calm);
      if (hose.checker.offset >= mostBytes)
        run.problems.push('the flood was over before anything was done beside it');
    },
    async end(run) {
      await done();
      await typing;
      // Its program has to end, which no echo tells the time of.
      const { deleteMs = NaN, quietDeleteMs = NaN } = run.figures;
      const most = Math.max(patience(run, CLOSED_MS), PROBE_TIMES * quietDeleteMs);
      if (!(deleteMs <= most))
        run.problems.push(
          `DELETE took ${deleteMs} ms beside a flood, more than ${most}; ${quietDeleteMs} without`,
        );
      await endTalks(run);
    },
  };
}

/** @returns how long whoever closes a session waits, in milliseconds: the median of a few */
async function closeSome(run: Run, client: ReturningClient): Promise<number> {
  const tookMs: number[] = [];
  for (let n = 0; n < CLOSINGS; n++) tookMs.push(await closeOne(run, client));
  return quantile(tookMs, 0.5);
}

async function closeOne(run: Run, client: ReturningClient): Promise<number> {
  const talk = await beginTalk(run, client, 0);
  run.endedByFault.add(talk);
  const begun = performance.now();
  const { status } = await run.server.request('DELETE', `/api/sessions/${talk.sessionId}`);
  const tookMs = performance.now() - begun;
  if (status !== 204) run.problems.push(`DELETE was answered with ${status}`);
  await talk.ended();
  return tookMs;
}

/**
 * As docs/protocol.md has it, whoever takes nothing is waited for so long, and whoever takes little always: it may begin
 * with that when the other has been given up.
 */
const STALLED_MS = 10_000;
const LATE_MS = 2000;
const SLOW_BYTES_PER_SECOND = 64 * KIB;
/** Beyond what any of them is waited for, several times. */
const LONG_SECONDS = 60;
/** Programs that were held up for ten seconds of a hundred make up for it; not quite, if they are held up near the end. */
const HELD_SHARE = 0.9;

/** Eight look at one session that prints a lot: one takes nothing any more, one little. */
export function fanOut(bytesPerSecond: number): Load {
  return {
    async begin(run) {
      run.figures.sessionsAtOnce = 1;
      run.bytesPerSecond = bytesPerSecond;
      const talk = await beginTalk(run, await connectClient(run), bytesPerSecond);
      for (let n = 0; n < 7; n++) run.watchers.push(await Watcher.begin(run.server.port, talk));
      run.watchers[0]!.stall();
      run.watchers[1]!.slowDownTo(SLOW_BYTES_PER_SECOND);
    },
    async end(run) {
      const [stalled, slow, ...fast] = run.watchers;
      for (const watcher of fast) watcher.lookStill();
      const least = Math.min(run.talks[0]!.checker.offset, ...fast.map(({ checker }) => checker.offset));
      run.figures.slowestFastBytesPerSecond = least / run.seconds;
      run.figures.longestStillMs = Math.max(...fast.map(({ stillMs }) => stillMs));
      const most = 2 * STALLED_MS + patience(run, LATE_MS);
      if (run.figures.longestStillMs > most)
        run.problems.push(`fast viewers had nothing for ${run.figures.longestStillMs} ms, not ${most}`);
      const isLong = run.seconds >= LONG_SECONDS;
      if (run.figures.slowestFastBytesPerSecond < SLOW_BYTES_PER_SECOND)
        run.problems.push(`fast viewers had ${least} bytes in ${run.seconds} s: less than a slow one takes`);
      // Whoever takes nothing holds up everybody, but not for longer than it is waited for.
      if (isLong && run.figures.slowestFastBytesPerSecond < HELD_SHARE * bytesPerSecond)
        asFarAsCan(run).push(
          `fast viewers had ${least} bytes in ${run.seconds} s, of ${bytesPerSecond} each`,
        );
      if (run.talks[0]!.gaps + fast.reduce((sum, { gaps }) => sum + gaps, 0) > 0)
        run.problems.push('a fast viewer had a gap');
      stalled!.goOn();
      slow!.goOn();
      await endTalks(run);
      if (isLong && stalled!.gaps === 0) run.problems.push('who took nothing was told of no gap');
    },
  };
}

/** In which all of them can be, several times. */
const CHURN_SECONDS = 600;

/** Sessions are created, used and closed, one after the other, `atOnce` at a time, `most` in all. */
export function churn(atOnce: number, most: number): Load {
  const going: Promise<void>[] = [];
  const done = async (): Promise<void> => {
    await Promise.all(going);
  };
  return {
    begin(run) {
      run.figures.sessionsAtOnce = atOnce;
      for (let n = 0; n < atOnce; n++) going.push(createUseAndClose(run, n, most));
      return Promise.resolve();
    },
    done,
    async end(run) {
      await done();
      const { sessions } = run.figures;
      const told = `${sessions} of ${most} sessions in this time`;
      if (sessions < most) (run.seconds >= CHURN_SECONDS ? asFarAsCan(run) : run.notes).push(told);
      await endTalks(run);
    },
  };
}

async function createUseAndClose(run: Run, n: number, most: number): Promise<void> {
  const client = await connectClient(run);
  for (let round = 0; !run.isOver && run.figures.sessions < most; round++) {
    run.figures.sessions += 1;
    const word = `${n}-${round}`;
    let text = '';
    let exits = 0;
    let afterExit = 0;
    let heard: () => void = () => undefined;
    const until = (claim: () => boolean): Promise<void> =>
      new Promise((resolve) => {
        heard = () => claim() && resolve();
        heard();
      });
    const session = await client.client.create(
      {
        output: (bytes, _offset, consumed) => {
          if (exits > 0) afterExit += bytes.length;
          text += Buffer.from(bytes).toString('latin1');
          run.figures.bytesChecked += bytes.length;
          consumed();
          heard();
        },
        exit: () => {
          exits += 1;
          heard();
        },
        gone: () => {
          exits += 1;
          heard();
        },
      },
      { cols: 80, rows: 24 },
    );
    const typed = `echo "<${word}"">"\n`;
    session.write(typed);
    run.figures.inputBytes += typed.length;
    await until(() => text.includes(`<${word}>\r\n`));
    // Some end by themselves, some are closed.
    if (round % 2 === 0) session.close();
    else session.write('exit\n');
    await until(() => exits > 0);
    if (exits > 1 || afterExit > 0) run.problems.push(`I8: ${exits} exits, ${afterExit} bytes after one`);
  }
}
