import { writeFileSync } from 'node:fs';
import { MIN_LOG_BYTES } from '../../src/config/settings.js';
import { SystemClock } from '../../src/sessions/system-clock.js';
import { FakeViewer } from '../fakes/fake-viewer.js';
import { sessionOf } from '../support/running-session.js';
import { until } from '../support/until.js';
import { Shells } from './support/shells.js';

/**
 * Fills the screen with more than the log holds, and paints anew whenever it is told a size. Not a script of bash: a
 * second signal breaks off what the trap of the first has begun to run.
 */
const PROGRAM = `#!${process.execPath}
const { stdout } = process;
process.on('SIGWINCH', () => stdout.write('<' + stdout.getWindowSize().reverse().join(' ') + '>'));
stdout.write('\\x1b[?1049h\\x1b[?25l' + 'x'.repeat(${MIN_LOG_BYTES + 100_000}) + 'READY');
setInterval(() => {}, 1000);
`;

describe('a full-screen program whose beginning has fallen off the log', () => {
  let shells: Shells;
  beforeEach(() => (shells = new Shells()));
  afterEach(() => shells.dispose());

  it('is made to paint anew for whoever comes, in the size that it has', async () => {
    writeFileSync(shells.path('program'), PROGRAM, { mode: 0o755 });
    const session = sessionOf(
      { ptys: shells.factory, clock: new SystemClock(), logBytes: MIN_LOG_BYTES },
      { shell: shells.path('program'), cwd: shells.home },
    );
    session.start();
    const textOf = (): string => {
      const { start, end } = session.log;
      return Buffer.from(session.log.read(start, end - start).bytes).toString();
    };
    await until(() => textOf().endsWith('READY'), 'it runs');

    const viewer = new FakeViewer();
    const { restoring } = session.attach(viewer).look;
    expect(restoring).toContain('\x1b[?1049h\x1b[?25l');
    await until(() => viewer.text.endsWith('<24 80>'), 'it has painted in its own size again');
    expect(viewer.text).toMatch(/READY(<23 80>)?<24 80>$/);

    const closed = session.whenEnded(10_000);
    session.close();
    await closed;
  });
});
