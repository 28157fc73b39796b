import { type Link } from './connector.js';

export type Tone = 'good' | 'busy' | 'bad' | 'quiet';

/** How the state of the connection is told. */
export interface Told {
  readonly tone: Tone;
  /** Always to be seen. */
  readonly label: string;
  /** Behind the label: changes each second, and with each try. */
  readonly countdown?: string;
  /** More of it, where it is nothing usual. */
  readonly detail?: string;
  readonly action?: { readonly label: string; readonly does: 'now' | 'reload' | 'dismiss' };
}

const LOST =
  'The connection is lost. Sessions go on, and what you type is kept and sent as soon as it is back.';
const SILENT = 'The server does not answer. Is it running?';
const ONLY_REST =
  'The server answers, but takes no WebSocket: too many connections are open (close other tabs), or a proxy in front of it passes no upgrades (docs/proxies.md).';

const RESTARTED: Told = {
  tone: 'bad',
  label: 'Server restarted',
  detail:
    'The server was restarted, and the sessions that ran in it are gone. What they printed can be read here until you close them.',
  action: { label: 'OK', does: 'dismiss' },
};

const NOT_ANSWERING: Told = {
  tone: 'busy',
  label: 'Not answering',
  detail:
    'Nothing has come from the server for some seconds. What you type is kept until it is known to be there.',
  action: { label: 'Reconnect', does: 'now' },
};

/** What else is known of the server while there is a connection. */
export interface ServerNews {
  /** The user has not yet seen that it was started anew. */
  readonly isServerNew?: boolean;
  /** It was asked something, and says nothing. */
  readonly isSilent?: boolean;
}

/** `nowMs`, as `Date.now` counts. */
export function tellLink(
  link: Link,
  nowMs: number,
  { isServerNew = false, isSilent = false }: ServerNews = {},
): Told {
  switch (link.is) {
    case 'connecting':
      return link.isAgain
        ? { tone: 'busy', label: 'Reconnecting', countdown: 'now', detail: lost(link) }
        : { tone: 'busy', label: 'Connecting…', ...(link.onlyRest && { detail: ONLY_REST }) };
    case 'open':
      if (isSilent) return NOT_ANSWERING;
      if (isServerNew) return RESTARTED;
      return { tone: 'good', label: link.isReadOnly ? 'Connected, read-only' : 'Connected' };
    case 'waiting':
      return waiting(link, nowMs);
    case 'loggedOut':
      return { tone: 'quiet', label: 'Logged out' };
    case 'refused':
      return {
        tone: 'bad',
        label: 'Refused',
        detail: `The server does not let this page in: ${link.detail}.`,
        action: { label: 'Try again', does: 'now' },
      };
    case 'elsewhere':
      return {
        tone: 'bad',
        label: 'Open elsewhere',
        detail: 'Another tab goes on in place of this one. The sessions are not affected.',
        action: { label: 'Use them here', does: 'reload' },
      };
    case 'closed':
      return {
        tone: 'bad',
        label: 'Disconnected',
        detail: `The connection was closed for good: ${link.detail}. The sessions go on.`,
        action: { label: 'Load the page anew', does: 'reload' },
      };
  }
}

/** Why nothing comes, where it came before. */
function lost({ onlyRest }: { readonly onlyRest?: boolean }): string {
  return onlyRest ? `${LOST} ${ONLY_REST}` : LOST;
}

function waiting(link: Extract<Link, { is: 'waiting' }>, nowMs: number): Told {
  const { untilMs, wasOpen, onlyRest } = link;
  const seconds = Math.max(0, Math.ceil((untilMs - nowMs) / 1000));
  const action = { label: 'Now', does: 'now' } as const;
  const label = wasOpen ? 'Reconnecting' : 'Connecting';
  const detail = wasOpen ? lost(link) : onlyRest ? ONLY_REST : SILENT;
  return { tone: 'bad', label, countdown: `in ${seconds} s`, detail, action };
}
