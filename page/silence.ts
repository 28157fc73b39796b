import { type Socket } from '../client/socket.js';
import { type Timers } from '../client/timers.js';

/** An answer takes a few milliseconds and the way there and back. The client gives a connection up after some 15 s. */
const LONG_MS = 5000;

/** Notices a network over which nothing comes though something is to be answered: no connection is known to be lost yet. */
export class Silence {
  private waiting?: { cancel(): void };
  private isSilent = false;

  constructor(
    private readonly timers: Timers,
    private readonly changed: (isSilent: boolean) => void,
  ) {}

  /** Listens to all that is sent and comes. */
  watch(socket: Socket): void {
    const send = socket.send.bind(socket);
    socket.send = (data) => {
      send(data);
      if (isAnswered(data)) this.asked();
    };
    socket.addEventListener('message', () => this.heard());
    socket.addEventListener('close', () => this.heard());
  }

  private asked(): void {
    this.waiting ??= this.timers.after(LONG_MS, () => this.tell(true));
  }

  private heard(): void {
    this.waiting?.cancel();
    this.waiting = undefined;
    this.tell(false);
  }

  private tell(isSilent: boolean): void {
    if (isSilent === this.isSilent) return;
    this.isSilent = isSilent;
    this.changed(isSilent);
  }
}

/** What is typed is acknowledged; of messages, those that bear an id are answered. */
function isAnswered(data: string | Uint8Array): boolean {
  return typeof data !== 'string' || data.includes('"requestId":');
}
