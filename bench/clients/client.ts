/** A piece of output, as a client got it. */
export interface Piece {
  readonly data: Uint8Array | string;
  /** Position behind its last byte, in all the raw bytes that its session has printed. */
  readonly end: number;
}

export type Consumer = (piece: Piece) => void;

/** One session, as a client sees it. */
export interface BenchSession {
  readonly id: string;
  type(text: string): void;
  /** Everything before `end` has been shown. To be called for every piece, at once or later. */
  consumed(end: number): void;
}

/** One connection. Whatever should not happen throws, and with that ends the client's process. */
export interface BenchClient {
  open(consumer: Consumer): Promise<BenchSession>;
  /** Also shows a session that another client has opened. */
  attach(sessionId: string, consumer: Consumer): Promise<BenchSession>;
  /** Reads no more from the socket. */
  pause(): void;
  resume(): void;
}
