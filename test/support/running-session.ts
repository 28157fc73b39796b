import { ByteBudget } from '../../src/core/byte-budget.js';
import { SessionEvents } from '../../src/core/session-events.js';
import { Session } from '../../src/core/session.js';
import { DEFAULT_SIZE } from '../../src/core/terminal-size.js';
import { nativeSearch } from '../../src/sessions/native-search.js';
import { FakeClock } from '../fakes/fake-clock.js';
import { type FakePty, FakePtyFactory } from '../fakes/fake-pty.js';

interface LoneSession {
  readonly session: Session;
  readonly ptys: FakePtyFactory;
  readonly clock: FakeClock;
  readonly happened: string[];
}

/** One session that has not been started. */
export function newSession({ logBytes = 1024 * 1024, inputBudgetBytes = Infinity } = {}): LoneSession {
  const ptys = new FakePtyFactory();
  const clock = new FakeClock();
  const events = new SessionEvents();
  const happened: string[] = [];
  events.subscribe(({ type }) => happened.push(type));
  const session = new Session(
    {
      id: 's1',
      name: 'bash-1',
      shellType: 'bash',
      shell: '/bin/bash',
      cwd: '/',
      persistent: false,
      size: DEFAULT_SIZE,
    },
    {
      ptys,
      clock,
      events,
      logBytes,
      inputBudget: new ByteBudget(inputBudgetBytes),
      maxViewers: 8,
      search: nativeSearch,
    },
  );
  return { session, ptys, clock, happened };
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
