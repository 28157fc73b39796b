import assert from 'node:assert/strict';
import { type HelloMessage } from '../../../src/protocol/messages.js';
import { type Protocol } from '../../../src/terminal/subprotocol.js';
import { type ProcessEvent, type ScheduledPty } from '../../fakes/scheduled-pty.js';
import { settled } from '../../support/running-session.js';
import {
  DETACHED_SECONDS,
  HOLD_SECONDS,
  LINGER_SECONDS,
  LOG_BYTES,
  MAX_SESSIONS,
  MAX_VIEWERS,
  type Model,
  type ModelExit,
  type ModelSession,
  RESUME_SECONDS,
} from './model.js';
import { type Client, Server } from './server.js';
import { type System } from './system.js';
import { seenAs, told } from './told.js';

/** All of a server between its sockets and its processes, which start and die when a command says so. */
export class CoreSystem implements System {
  readonly echoesEarlyInput = false;
  readonly server: Server;
  /** At once; it is paused behind that, and not before. */
  protected readonly mostPrintedBytes: number = Infinity;
  private readonly awaited = new Map<string, (error?: Error) => void>();

  /** `takenLater`: when sockets have taken what they are sent; soon, unless somebody else decides. */
  constructor(takenLater?: () => Promise<void>) {
    const config = {
      maxSessions: MAX_SESSIONS,
      maxViewers: MAX_VIEWERS,
      logBytes: LOG_BYTES,
      exitedLingerSeconds: LINGER_SECONDS,
      resumeSeconds: RESUME_SECONDS,
      resumeHoldSeconds: HOLD_SECONDS,
      detachedSeconds: DETACHED_SECONDS,
    };
    this.server = new Server((event) => this.later(event), config, takenLater);
  }

  get terminals(): readonly Client[] {
    return this.server.clients;
  }

  connect(protocol: Protocol, hello?: Omit<HelloMessage, 'type'>): void {
    this.server.connect(protocol, hello);
  }

  async awaitTurn(): Promise<void> {
    // Nothing happens here that no command does.
  }

  async agreeWith(model: Model): Promise<void> {
    this.catchUp();
    await settled();
    this.catchUp();
    compareNews(model, this.server);
    compareServer(model, this.server);
  }

  catchUp(): void {
    this.server.catchUp();
  }

  happen(type: 'spawn' | 'death', { process }: ModelSession, error?: Error): void {
    this.awaited.get(`${type} ${process}`)!(error);
  }

  mayPrint(_session: ModelSession, bytes: Buffer): boolean {
    return bytes.length <= this.mostPrintedBytes;
  }

  print(session: ModelSession, bytes: Buffer): void {
    this.processOf(session).print(bytes);
  }

  end(session: ModelSession, exit: Omit<ModelExit, 'cause'>): void {
    this.processOf(session).end(exit);
  }

  stick(session: ModelSession): void {
    this.processOf(session).room = 0;
  }

  unstick(session: ModelSession): void {
    this.processOf(session).read(Infinity);
  }

  closeOverRest(sessionId: string): void {
    this.server.closeOverRest(sessionId);
  }

  pass(ms: number): void {
    this.server.pass(ms);
  }

  protected later({ type, process }: ProcessEvent): Promise<void> {
    // That a death is known is no event of its own here: `interleavings.spec.ts` sets it apart.
    if (type === 'closed') return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.awaited.set(`${type} ${process}`, (error) => (error ? reject(error) : resolve()));
    });
  }

  private processOf(session: ModelSession): ScheduledPty {
    return this.server.ptys.ptys.find(({ process }) => process === session.process)!;
  }
}

/** What can be seen of the server is what the model says. */
export function compareServer(model: Model, server: Server): void {
  assert.deepEqual(
    server.registry.list().map(({ id, name, state, status, isWatched, size: { columns, rows }, exit }) => ({
      id,
      name,
      state,
      status,
      isWatched,
      size: `${columns}x${rows}`,
      exit: exit && { code: exit.code, signal: exit.signal, cause: exit.cause },
    })),
    model.sessions.map(({ id, name, phase, viewers, size: now, exit }) => ({
      id,
      name,
      ...seenAs[phase],
      isWatched: viewers.length > 0,
      size: now,
      exit: exit && { code: exit.code, signal: exit.signal, cause: exit.cause },
    })),
  );
  assert.deepEqual(
    server.ptys.alive.map(({ process, closings }) => ({ process, closings })),
    model
      .inPhase('running', 'closing')
      .filter(({ over }) => !over)
      .map(({ process, phase }) => ({ process, closings: phase === 'closing' ? 1 : 0 }))
      .sort((a, b) => startOrder(server, a.process) - startOrder(server, b.process)),
  );
  for (const { process, size: now, input, paused, over } of model.inPhase('running')) {
    const pty = server.ptys.ptys.find((one) => one.process === process)!;
    assert.equal(pty.paused, paused);
    if (!over) assert.deepEqual([`${pty.size.columns}x${pty.size.rows}`, pty.input], [now, input]);
  }
  assert.deepEqual(
    server.closeAnswers.map(({ sessionId, answer }) => ({ sessionId, answer })),
    model.closeAnswers.map(({ sessionId, answer }) => ({ sessionId, answer })),
  );
  assert.equal(server.ptys.asked.length, model.started);
  assert.equal(server.clock.timers, model.timers);
}

/** Everybody is told what the model says. */
function compareNews(model: Model, server: Server): void {
  for (const { number, isOpen, client, news } of model.connections) {
    for (const one of news) {
      if ('line' in one && one.line.startsWith('error ')) model.refusals.push(one.line.split(' ')[1]!);
    }
    assert.deepEqual(
      told(server.clients[number]!.news(), model),
      told(news.splice(0), model),
      `what connection ${number} is told`,
    );
    if (isOpen) assert.deepEqual(server.clients[number]!.owned, [...client.asked]);
  }
}

function startOrder(server: Server, process: number | undefined): number {
  return server.ptys.ptys.findIndex((pty) => pty.process === process);
}
