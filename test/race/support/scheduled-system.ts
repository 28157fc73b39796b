import assert from 'node:assert/strict';
import type fc from 'fast-check';
import { SessionError } from '../../../src/core/session-error.js';
import { type ProcessEvent } from '../../fakes/scheduled-pty.js';
import { settled } from '../../support/running-session.js';
import { compareServer, CoreSystem } from './core-system.js';
import { type Heard } from './hearing.js';
import { type Model } from './model.js';
import { assertToldInOrder } from './server.js';
import { told } from './told.js';

/**
 * The server without sockets, where a scheduler decides when a process is there or cannot be, when it dies, and when a
 * socket has taken what it was sent: until then there is room in it for nothing more. The model is told of the first
 * two when they happen; what is on its way it does not know, and nothing is compared before nothing is.
 */
export class ScheduledSystem extends CoreSystem {
  /** So much that nobody falls behind by it, whatever is not sent yet: where a process is paused would depend on that. */
  protected override readonly mostPrintedBytes = 1000;
  private readonly heard = new Map<number, Heard[]>();

  /** `fails`: which of the processes that are asked for cannot be started. */
  constructor(
    private readonly scheduler: fc.Scheduler,
    private readonly model: Model,
    private readonly fails: (process: number) => boolean,
  ) {
    super(() => scheduler.schedule(Promise.resolve(), 'taken'));
  }

  override async agreeWith(): Promise<void> {
    this.catchUp();
    // Whatever is on its way is so for as long as the scheduler likes.
    return Promise.resolve();
  }

  override catchUp(): void {
    super.catchUp();
    this.noteNews();
  }

  /** Everything that is on its way has happened, in whichever order. */
  async rest(): Promise<void> {
    let before = -1;
    for (let now = this.count; now !== before; now = this.count) {
      before = now;
      await this.scheduler.waitIdle();
      await settled();
      this.catchUp();
    }
    await this.scheduler.waitIdle();
  }

  /** Nothing is lost, doubled or left, whatever came first. */
  assertRight(): void {
    compareServer(this.model, this.server);
    assertToldInOrder(this.server);
    for (const { number, isOpen, reads, views } of this.model.connections) {
      const heard = this.heard.get(number) ?? [];
      // That bytes are those that were printed, each where it belongs; and of each session one exit, behind them.
      const lines = told(heard, this.model);
      for (const [about, said] of lines) assertExitsLast(about, said);
      if (!isOpen || !reads) continue;
      for (const { session, hasExit } of views) {
        assert.equal(this.terminals[number]!.positionIn(session.id), session.printed.length);
        const [last] = lines.get(session.id)!.slice(-1);
        assert.equal(last!.startsWith('exit '), hasExit, `connection ${number} of ${session.id}: ${last}`);
      }
    }
  }

  protected override async later({ type, process }: ProcessEvent): Promise<void> {
    await this.scheduler.schedule(Promise.resolve(), `${type} ${process}`);
    const session = [...this.model.all.values()].find((one) => one.process === process)!;
    if (type === 'death' && session.phase === 'closing') {
      this.model.processEnds(session, { code: 129, signal: 'SIGHUP' });
    }
    if (type !== 'spawn') return;
    if (!this.fails(process)) {
      this.model.spawned(session);
      return;
    }
    this.model.spawnFailed(session);
    throw new SessionError('SPAWN_FAILED', 'the shell could not be started');
  }

  private get count(): number {
    return [...this.heard.values()].reduce((sum, { length }) => sum + length, 0);
  }

  private noteNews(): void {
    for (const [number, terminal] of this.terminals.entries()) {
      const heard = this.heard.get(number) ?? [];
      heard.push(...terminal.news());
      this.heard.set(number, heard);
    }
  }
}

/** From each time on that somebody began to look. */
function assertExitsLast(about: string, said: readonly string[]): void {
  if (about === '' || about.startsWith('typing into')) return;
  for (const [index, line] of said.entries()) {
    if (!line.startsWith('exit ')) continue;
    const next = said[index + 1] ?? 'attached';
    assert(/^(attached|resumed|not resumed)/.test(next), `${about}: ${next} after its exit`);
  }
}
