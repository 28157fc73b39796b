import { type BenchClient, type BenchSession, type Consumer, type Piece } from './client.js';
import { type Renderer } from './renderer.js';
import { Screen } from './screen.js';

const START_MS = 20_000;

export interface Watching {
  /** Consumes the output in its own time; without one, it is consumed as it comes. */
  readonly renderer?: Renderer;
  /** Sees every piece as it comes. */
  readonly look?: (piece: Piece) => void;
}

/** A session and what is seen of it. */
export class Terminal {
  private constructor(
    private readonly session: BenchSession,
    readonly screen: Screen,
  ) {}

  get id(): string {
    return this.session.id;
  }

  static open(client: BenchClient, watching?: Watching): Promise<Terminal> {
    return Terminal.view((consumer) => client.open(consumer), watching);
  }

  static attach(client: BenchClient, sessionId: string): Promise<Terminal> {
    return Terminal.view((consumer) => client.attach(sessionId, consumer));
  }

  type(text: string): void {
    this.session.type(text);
  }

  /**
   * Replaces the shell by one that runs `script`, without echo, and waits until it does. A shell's own prompts and line
   * editing are then out of the way. The script must have no single quotes in it.
   */
  async run(script: string): Promise<void> {
    // The terminal echoes the line: the word that is waited for must not be in it.
    const ready = this.screen.shows('READY', START_MS);
    this.type(` exec /bin/sh -c 'stty -echo; printf REA""DY; ${script}'\n`);
    await ready;
  }

  private static async view(
    ask: (consumer: Consumer) => Promise<BenchSession>,
    { renderer, look }: Watching = {},
  ): Promise<Terminal> {
    const screen = new Screen();
    // A session may print before its viewer hears that it is one.
    const early: Piece[] = [];
    let show = (piece: Piece): unknown => early.push(piece);
    const session = await ask((piece) => {
      look?.(piece);
      show(piece);
    });
    show = (piece) => {
      if (renderer) return renderer.render(piece, session, screen);
      screen.show(piece);
      session.consumed(piece.end);
    };
    early.forEach(show);
    return new Terminal(session, screen);
  }
}
