import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { BareClient } from '../../bench/clients/bare-client.js';
import { READY, talkerCommand } from '../../bench/clients/returning-client.js';
import { LineChecker } from '../../bench/programs/lines.js';
import { withUs } from '../../bench/harness/children.js';
import { note } from './loads.js';

/** As in the loads beside it: where all of them wait for the machine at once, a share of this size does here, too. */
const SESSIONS = 4;
const KEY_EVERY_MS = 50;

/**
 * Keys that are typed, and answered by the same program, through node-pty and ws joined by hand, with nothing else to do:
 * what this machine makes any terminal server wait for just now.
 */
export class Probe {
  /** How long the echoes took since it began; and since a load has, those of that. */
  readonly echoMs: number[] = [];
  loadMs: number[] = [];
  private isOver = false;
  private typing: readonly Promise<void>[] = [];

  private constructor(
    private readonly server: ChildProcess,
    private readonly echoes: readonly (() => Promise<number>)[],
  ) {}

  static async start(): Promise<Probe> {
    const program = join(__dirname, '../../bench/baseline/server.js');
    const server = withUs(fork(program, { stdio: ['ignore', 'pipe', 'inherit', 'ipc'], execArgv: [] }));
    const [said] = (await once(server.stdout!, 'data')) as [Buffer];
    const port = Number(/:(\d+)\s*$/.exec(said.toString())?.[1]);
    const echoes: (() => Promise<number>)[] = [];
    for (let n = 0; n < SESSIONS; n++) echoes.push(await bareTalk(port));
    return new Probe(server, echoes);
  }

  /** The same numbers for the same `random`. */
  begin(random: () => number): void {
    this.typing = this.echoes.map(async (echo) => {
      while (!this.isOver) {
        await delay(KEY_EVERY_MS * (0.5 + random()));
        const ms = await echo();
        this.echoMs.push(ms);
        note(ms, KEY_EVERY_MS, this.loadMs);
      }
    });
  }

  async end(): Promise<void> {
    this.isOver = true;
    await Promise.all(this.typing);
    const ended = once(this.server, 'exit');
    this.server.kill('SIGKILL');
    await ended;
  }
}

/** @returns what types a key, and tells how long its echo took */
async function bareTalk(port: number): Promise<() => Promise<number>> {
  let begun = '';
  let echoed: () => void = () => undefined;
  const checker = new LineChecker(() => echoed());
  let talks: () => void = () => undefined;
  const ready = new Promise<void>((resolve) => (talks = resolve));
  const session = await new BareClient(port, 'binary').open(({ data }) => {
    if (READY.test(begun)) checker.add(data as Uint8Array);
    else begun += Buffer.from(data as Uint8Array).toString('latin1');
    if (READY.test(begun)) talks();
  });
  session.type(talkerCommand(0));
  await ready;
  let keys = 0;
  return async () => {
    const answered = new Promise<void>((resolve) => (echoed = resolve));
    const typed = performance.now();
    session.type(`?${keys++}\n`);
    await answered;
    return performance.now() - typed;
  };
}
