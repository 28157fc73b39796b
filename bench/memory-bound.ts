import { type AppConfig } from '../src/config/app-config.js';
import { type Machine } from '../src/config/machine.js';
import { settings } from '../src/config/settings.js';

/** The formula of docs/memory.md. */

const KIB = 1024;
const MIB = 1024 * KIB;

/** A session beside its log: the slab that is begun, the read that crossed the mark, its objects. */
export const SESSION_BYTES = 192 * KIB;
/** The places and sizes of what is on its way. */
export const VIEW_BYTES = 160 * KIB;
/** As few bytes as one likes may come at a time: see `maxBufferedChunks` in terminal.adapter.ts. */
export const MOST_PIECES = 65_536;
export const PIECE_BYTES = 640;
/** Answers up to the mark, and those to what had been read before. */
export const ANSWER_BYTES = 9 * MIB;
export const CONNECTION_BYTES = 64 * KIB;
/** Input that is not joined because several clients type it, by turns. */
export const MIXED_INPUT_BYTES = 1 * MIB;
export const REQUEST_BYTES = 32 * KIB;
/** Frames that are used again, and a message while it is read: as it came, as text and as bytes. */
export const MESSAGE_COPIES = 3;
export const SHARED_BYTES = 2 * MIB;

/** What a process has beside that: V8 collects what is held no more when it finds that worth it. */
export const GARBAGE_BYTES = 256 * MIB;

export type MemorySettings = Pick<
  AppConfig,
  | 'logBytes'
  | 'inputQueueBytes'
  | 'inputTotalBytes'
  | 'maxMessageBytes'
  | 'socketBufferBytes'
  | 'maxHeaderBytes'
  | 'maxSessions'
  | 'maxViewers'
  | 'maxConnections'
>;

/** What clients have a server hold. */
export interface Load {
  /** Running or ended. */
  readonly sessions: number;
  /** Of these, those that are typed more than they read. */
  readonly typedAhead: number;
  /** Pairs of a session and a connection that shows it. */
  readonly views: number;
  /** WebSockets. */
  readonly connections: number;
  /** Of these, those that do not take what they are sent, */
  readonly unread: number;
  /** those that are in the middle of sending a large message, */
  readonly sending: number;
  /** and those among them that send it byte by byte. */
  readonly trickling: number;
  /** TCP connections that are no WebSockets. */
  readonly requests: number;
}

/** Everything that is allowed, at once. */
export function worstLoad({ maxSessions, maxViewers, maxConnections }: MemorySettings): Load {
  return {
    sessions: 2 * maxSessions,
    typedAhead: maxSessions,
    views: maxSessions * maxViewers,
    connections: maxConnections,
    unread: maxConnections,
    sending: maxConnections,
    trickling: maxConnections,
    requests: maxConnections,
  };
}

/** Most bytes that a server holds for its clients, beside what it needs itself. */
export function memoryBound(given: MemorySettings, load: Load): number {
  const input = Math.min(given.inputTotalBytes, load.typedAhead * given.inputQueueBytes);
  return (
    load.sessions * (given.logBytes + SESSION_BYTES) +
    input +
    load.typedAhead * MIXED_INPUT_BYTES +
    load.views * VIEW_BYTES +
    load.connections * CONNECTION_BYTES +
    // A frame may lie in a buffer of twice its size.
    load.unread * (2 * given.socketBufferBytes + ANSWER_BYTES) +
    load.sending * given.maxMessageBytes +
    load.trickling * MOST_PIECES * PIECE_BYTES +
    load.requests * (given.maxHeaderBytes + REQUEST_BYTES) +
    MESSAGE_COPIES * given.maxMessageBytes +
    SHARED_BYTES
  );
}

/** The settings of a server that nobody configured. */
export const defaultSettings: MemorySettings = Object.fromEntries(
  Object.entries(settings).map(([name, setting]) => [name, setting.valueByDefault({} as Machine)]),
) as unknown as MemorySettings;
