import { ByteBudget } from '../../src/core/byte-budget.js';
import { SessionEvents } from '../../src/core/session-events.js';
import { Session, type SessionIdentity, type SessionSurroundings } from '../../src/core/session.js';
import { Statistics } from '../../src/core/statistics.js';
import { DEFAULT_SIZE } from '../../src/core/terminal-size.js';
import { nativeSearch } from '../../src/sessions/native-search.js';
import { nativeText } from '../../src/sessions/native-text.js';
import { FakeClock } from '../fakes/fake-clock.js';
import { type FakePty, FakePtyFactory } from '../fakes/fake-pty.js';
import { testConfig } from './test-sessions.js';

/** Of a session that nobody configured. */
export const INPUT_QUEUE_BYTES = testConfig().inputQueueBytes;

interface LoneSession {
  readonly session: Session;
  readonly ptys: FakePtyFactory;
  readonly clock: FakeClock;
  readonly happened: string[];
  readonly statistics: Statistics;
}

/** A session of `given` processes that has not been started; what else it needs is as in a server that nobody configured. */
export function sessionOf(
  given: Pick<SessionSurroundings, 'ptys'> & Partial<SessionSurroundings>,
  identity: Partial<SessionIdentity> = {},
): Session {
  return new Session(
    {
      id: 's1',
      name: 'bash-1',
      shellType: 'bash',
      shell: '/bin/bash',
      cwd: '/',
      persistent: false,
      size: DEFAULT_SIZE,
      ...identity,
    },
    {
      clock: new FakeClock(),
      events: new SessionEvents(),
      statistics: new Statistics(),
      logBytes: 1024 * 1024,
      inputQueueBytes: INPUT_QUEUE_BYTES,
      inputBudget: new ByteBudget(Infinity),
      maxViewers: 8,
      search: nativeSearch,
      decode: nativeText,
      hostname: 'here',
      ...given,
    },
  );
}

/** One session that has not been started. */
export function newSession({ logBytes = 1024 * 1024, inputBudgetBytes = Infinity } = {}): LoneSession {
  const ptys = new FakePtyFactory();
  const clock = new FakeClock();
  const events = new SessionEvents();
  const statistics = new Statistics();
  const happened: string[] = [];
  events.subscribe(({ type }) => happened.push(type));
  const session = sessionOf({
    ptys,
    clock,
    events,
    statistics,
    logBytes,
    inputBudget: new ByteBudget(inputBudgetBytes),
  });
  return { session, ptys, clock, happened, statistics };
}

/** One session whose process runs. */
export async function runningSession(
  options: Parameters<typeof newSession>[0] = {},
): Promise<LoneSession & { readonly pty: FakePty }> {
  const lone = newSession(options);
  lone.session.start();
  await settled();
  return { ...lone, pty: lone.ptys.last };
}

/** Lets everything that waits for a promise only, and for no event from outside, happen. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
