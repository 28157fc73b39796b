import { Backoff, DEFAULT_BACKOFF } from '../client/backoff.js';
import { type Closure } from '../client/connection.js';
import {
  type Arrival,
  type ClientHandlers,
  type ConnectionState,
  type TerminalClient,
} from '../client/terminal-client.js';
import { platformTimers, type Timers } from '../client/timers.js';
import { Refused } from './api.js';
import { type Entrance } from './entrance.js';

/** What is known of what is in the way. */
interface Trouble {
  /** REST has answered, so that only the WebSocket is refused. */
  readonly onlyRest?: boolean;
}

/** How the page stands with its server. */
export type Link =
  | ({ readonly is: 'connecting'; readonly isAgain: boolean } & Trouble)
  | { readonly is: 'open'; readonly isReadOnly: boolean }
  /** The next try is at that time, in milliseconds as `Date.now` counts. */
  | ({ readonly is: 'waiting'; readonly untilMs: number; readonly wasOpen: boolean } & Trouble)
  | { readonly is: 'loggedOut'; readonly isOwnDoing: boolean }
  /** The server does not want this page, and says why. */
  | { readonly is: 'refused'; readonly detail: string }
  /** Another page goes on as this client. */
  | { readonly is: 'elsewhere' }
  | { readonly is: 'closed'; readonly detail: string };

export interface ConnectorEvents {
  link(link: Link): void;
  arrived(arrival: Arrival): void;
}

/** What a connector needs to make its client with. */
export interface ClientParts {
  readonly timers: Timers;
  readonly handlers: ClientHandlers;
}

const TAKEN_OVER = 4001;
const UNAUTHORIZED = 401;
/** A first failure may be anything; where a second follows, REST is asked what is wrong. */
const FAILURES_BEFORE_ASKING = 2;

/**
 * Keeps the page connected: for the first time until that works, then as its client does by itself. A page is never told
 * with which status a WebSocket was refused, so REST is asked before, and again when it keeps failing.
 */
export class Connector {
  readonly client: TerminalClient;
  private link: Link = { is: 'connecting', isAgain: false };
  private readonly backoff = new Backoff(DEFAULT_BACKOFF, Math.random);
  private retry?: { cancel(): void };
  private isFirst = true;
  private failures = 0;
  /** REST has answered where the last try to connect had failed. */
  private onlyRest = false;
  /** For how long the client waits: it sets a timer and says then that it waits. */
  private lastTimerMs = 0;

  constructor(
    private readonly entrance: Pick<Entrance, 'pass' | 'logOut'>,
    makeClient: (parts: ClientParts) => TerminalClient,
    private readonly events: ConnectorEvents,
    private readonly timers: Timers = platformTimers,
  ) {
    this.client = makeClient({
      timers: {
        after: (ms, task) => {
          this.lastTimerMs = ms;
          return timers.after(ms, task);
        },
        get areLate() {
          return timers.areLate ?? false;
        },
      },
      handlers: {
        state: (state, closure) => this.clientState(state, closure),
        arrived: (arrival) => this.events.arrived(arrival),
      },
    });
  }

  get state(): Link {
    return this.link;
  }

  /** Connects, or says what is in the way; after logging in, once more. */
  async start(): Promise<void> {
    this.retry?.cancel();
    this.enter(this.connecting());
    let hasRestAnswered = false;
    try {
      await this.entrance.pass();
      hasRestAnswered = true;
      await this.client.connect();
    } catch (error) {
      // One that has been open before tries again by itself.
      if (this.client.state !== 'closed') return;
      this.onlyRest = hasRestAnswered;
      this.failed(error);
    }
  }

  /** Does not wait any longer; lets go of a connection that may be dead. */
  now(): void {
    if (this.client.state === 'closed') {
      if (this.link.is === 'waiting' || this.link.is === 'refused' || this.link.is === 'closed')
        void this.start();
    } else {
      this.client.reconnect();
    }
  }

  async logOut(): Promise<void> {
    await this.entrance.logOut();
    this.enter({ is: 'loggedOut', isOwnDoing: true });
    this.client.close();
  }

  private failed(error: unknown): void {
    if (error instanceof Refused && error.status === UNAUTHORIZED) {
      this.enter({ is: 'loggedOut', isOwnDoing: false });
    } else if (error instanceof Refused && error.status < 500) {
      this.enter({ is: 'refused', detail: error.message });
    } else {
      const ms = this.backoff.nextMs();
      this.retry = this.timers.after(ms, () => void this.start());
      this.enter(this.waiting(ms, false));
    }
  }

  private clientState(state: ConnectionState, closure?: Closure): void {
    switch (state) {
      case 'connecting':
        return this.enter(this.connecting());
      case 'open':
        this.isFirst = false;
        this.failures = 0;
        this.onlyRest = false;
        this.backoff.reset();
        return this.enter({ is: 'open', isReadOnly: this.client.readOnly });
      case 'waiting':
        this.enter(this.waiting(this.lastTimerMs, true));
        if (++this.failures >= FAILURES_BEFORE_ASKING) void this.askWhatIsWrong();
        return;
      case 'closed':
        return this.clientClosed(closure);
    }
  }

  private clientClosed(closure?: Closure): void {
    // `start` says what becomes of a first try that has failed; whoever logs out has said so already.
    if (this.isFirst || this.link.is === 'loggedOut') return;
    if (closure?.code === TAKEN_OVER) this.enter({ is: 'elsewhere' });
    else this.enter({ is: 'closed', detail: `${closure?.reason ?? ''} (${closure?.code ?? '?'})`.trim() });
  }

  /** The token may have changed, the login has run out, or there are too many connections. */
  private async askWhatIsWrong(): Promise<void> {
    try {
      await this.entrance.pass();
      this.onlyRest = this.client.state !== 'open';
    } catch (error) {
      this.onlyRest = false;
      if (error instanceof Refused && error.status === UNAUTHORIZED && this.client.state !== 'open') {
        this.enter({ is: 'loggedOut', isOwnDoing: false });
        this.client.close();
        return;
      }
    }
    const { link } = this;
    if (link.is === 'connecting') this.enter(this.connecting());
    else if (link.is === 'waiting') this.enter({ ...link, onlyRest: this.onlyRest });
  }

  private connecting(): Link {
    return { is: 'connecting', isAgain: !this.isFirst, ...this.trouble };
  }

  private waiting(ms: number, wasOpen: boolean): Link {
    return { is: 'waiting', untilMs: Date.now() + ms, wasOpen, ...this.trouble };
  }

  private get trouble(): Trouble {
    return this.onlyRest ? { onlyRest: true } : {};
  }

  private enter(link: Link): void {
    this.link = link;
    this.events.link(link);
  }
}
