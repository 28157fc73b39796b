import { type Attachment, type Viewer, type ViewerNews } from '../../src/core/attachment.js';
import { type SessionExit } from '../../src/core/session.js';

/** A viewer that takes everything at once, unless told to wait. */
export class FakeViewer implements Viewer {
  /** Each exit it was told of. */
  readonly exits: SessionExit[] = [];
  /** What it was told besides, in order. */
  readonly news: ViewerNews[] = [];
  private readonly taken: Uint8Array[] = [];
  private readonly waiting = new Set<Attachment>();

  constructor(private reading = true) {}

  get bytes(): Buffer {
    return Buffer.concat(this.taken);
  }

  get text(): string {
    return this.bytes.toString();
  }

  /** From now on what comes is left in the log. */
  stopReading(): void {
    this.reading = false;
  }

  /** Takes what waited, and from now on everything at once. */
  startReading(): void {
    this.reading = true;
    for (const attachment of this.waiting) this.take(attachment);
    this.waiting.clear();
  }

  wake(attachment: Attachment): void {
    if (this.reading) this.take(attachment);
    else this.waiting.add(attachment);
  }

  hear(_attachment: Attachment, news: ViewerNews): void {
    this.news.push(news);
  }

  private take(attachment: Attachment): void {
    for (let next = attachment.peek(1000); next.bytes.length > 0; next = attachment.peek(1000)) {
      this.taken.push(next.bytes);
      attachment.advance(next.offset + next.bytes.length);
    }
    const exit = attachment.takeExit();
    if (exit) this.exits.push(exit);
  }
}
