import { type RemoteSession } from '../../client/remote-session.js';
import { TerminalClient, type TerminalClientOptions } from '../../client/terminal-client.js';
import {
  ACKNOWLEDGE_BYTES,
  ACKNOWLEDGE_MS,
  INPUT_CREDIT_BYTES,
  MAX_FRAME_PAYLOAD_BYTES,
} from '../../src/protocol/limits.js';
import { type Attached, type Welcome } from '../../src/protocol/messages.js';
import { FakeApplication } from '../fakes/fake-application.js';
import { FakeClock } from '../fakes/fake-clock.js';
import { FakeWebSocket } from '../fakes/fake-web-socket.js';

export const welcome: Welcome = {
  type: 'welcome',
  epoch: 'e1',
  limits: {
    messageBytes: 4 * 1024 * 1024,
    frameBytes: MAX_FRAME_PAYLOAD_BYTES,
    inputCreditBytes: INPUT_CREDIT_BYTES,
    acknowledgeBytes: ACKNOWLEDGE_BYTES,
    acknowledgeMs: ACKNOWLEDGE_MS,
    resumeSeconds: 60,
    resumeHoldSeconds: 30,
  },
  resumeToken: 't1',
  readOnly: false,
  sessions: [],
};

/** What a server answers that shows `s1` from its beginning. */
export const attached: Attached = {
  type: 'attached',
  sessionId: 's1',
  channel: 1,
  offset: 0,
  end: 0,
  inputOffset: 0,
  inControl: false,
  cols: 80,
  rows: 24,
  sizes: [],
};

export interface ConnectedClient {
  readonly client: TerminalClient;
  /** Its first one. */
  readonly socket: FakeWebSocket;
  /** All it has opened. */
  readonly sockets: FakeWebSocket[];
  readonly clock: FakeClock;
  /** What the client has told, in words. */
  readonly log: string[];
}

/** A client that waits for its socket to open; it does not connect again unless it is told to. */
export function connectingClient(
  options: Partial<TerminalClientOptions> = { reconnect: false },
): ConnectedClient & { readonly welcomed: Promise<Welcome> } {
  const sockets: FakeWebSocket[] = [];
  const clock = new FakeClock();
  const log: string[] = [];
  const client = new TerminalClient({
    open: () => {
      const socket = new FakeWebSocket();
      sockets.push(socket);
      return socket;
    },
    timers: clock,
    random: () => 0.5,
    handlers: {
      state: (state, closure) => log.push(closure ? `${state} ${closure.code} ${closure.reason}` : state),
      arrived: ({ isKnown, isServerNew, gone }) => {
        if (sockets.length === 1) return;
        const server = isServerNew ? 'another server' : 'the same server';
        log.push(
          `arrived at ${server}, ${isKnown ? 'known' : 'unknown'}, without ${gone.join() || 'nothing'}`,
        );
      },
      error: ({ reason }) => log.push(`error ${reason}`),
    },
    ...options,
  });
  const welcomed = client.connect();
  // Tests that look at it await it; in others nobody does.
  welcomed.catch(() => undefined);
  return { client, socket: sockets[0]!, sockets, clock, log, welcomed };
}

export function connectedClient(options?: Partial<TerminalClientOptions>): ConnectedClient {
  const connected = connectingClient(options);
  connected.socket.open();
  connected.socket.answer('hello', welcome);
  return connected;
}

/** Shows a session; by default `s1` on channel 1, from its beginning. */
export function attach(
  { client, socket }: ConnectedClient,
  application = new FakeApplication(),
  answer: Partial<Attached> = {},
): Promise<RemoteSession> {
  const session = client.attach(answer.sessionId ?? attached.sessionId, application);
  socket.answer('attach', { ...attached, ...answer });
  return session;
}

/** A client that shows `s1` on channel 1. */
export async function showingClient(
  consuming = true,
  options?: Partial<TerminalClientOptions>,
): Promise<ConnectedClient & { readonly session: RemoteSession; readonly application: FakeApplication }> {
  const connected = connectedClient(options);
  const application = new FakeApplication(consuming);
  const session = await attach(connected, application);
  application.log.length = 0;
  return { ...connected, session, application };
}
