import { type HelloMessage, type ClientMessage } from '../../../src/protocol/messages.js';
import { type TerminalSize } from '../../../src/core/terminal-size.js';
import { type Protocol } from '../../../src/terminal/subprotocol.js';
import { type Model, type ModelExit, type ModelSession } from './model.js';

/** One connection, from its client's end: it acknowledges at once what it gets, while it reads. */
export interface Terminal {
  /** With what its client may come back. */
  readonly resumeToken: string;
  /** Where the next output of a session belongs; `undefined` before there was any. */
  positionIn(sessionId: string): number | undefined;
  send(message: ClientMessage): void;
  create(size?: TerminalSize, persistent?: boolean): void;
  /** As `trex.v2` types: on the channel that it was told last, if any. */
  type(sessionId: string, offset: number, bytes: Uint8Array): void;
  /** It acknowledges from now on, if it did not before. */
  acknowledge(sessionId: string, offset: number): void;
  stopAcknowledging(): void;
  stopReading(): void;
  startReading(): void;
  /** It goes, and says so. */
  leave(): void;
  /** Its connection is lost. */
  drop(): void;
  /** Another has taken its place, which the server has ended it for; `isKnown`: and knows now that it is no more. */
  takenOver(isKnown: boolean): void;
  /** What it was sent is of no interest. */
  forgetNews(): void;
}

/**
 * What the model is compared with: a server, its processes and its time. Whatever a command does to it is done at once,
 * or on its way in the order it was done; what follows is there when it agrees.
 */
export interface System {
  /** Whether what is typed before a program is there may be echoed, or may not. */
  readonly echoesEarlyInput: boolean;
  /** Every connection there ever was, in their order. */
  readonly terminals: readonly Terminal[];
  connect(protocol: Protocol, hello?: Omit<HelloMessage, 'type'>): void;
  /** Before a command: nothing of its own is about to happen. */
  awaitTurn(model: Model): Promise<void>;
  /** Waits until everything that follows has happened. @throws unless it is as the model says. */
  agreeWith(model: Model): Promise<void>;
  /** Clients that read take and acknowledge what there is. */
  catchUp(): void;
  /** What a process has to wait for has come: it is there, or it dies because it was told to. */
  happen(type: 'spawn' | 'death', session: ModelSession, error?: Error): void;
  /** Whether it is known how much of this a process gets rid of, whoever looks at it. */
  mayPrint(session: ModelSession, bytes: Buffer): boolean;
  print(session: ModelSession, bytes: Buffer): void;
  end(session: ModelSession, exit: Omit<ModelExit, 'cause'>): void;
  /** Its process does not read what is typed, or does again. */
  stick(session: ModelSession): void;
  unstick(session: ModelSession): void;
  /** `DELETE /api/sessions/:id` */
  closeOverRest(sessionId: string): void;
  pass(ms: number): void;
}
