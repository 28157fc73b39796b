import { writeFileSync } from 'node:fs';
import { MIN_LOG_BYTES } from '../../src/config/settings.js';
import { DEFAULT_FLOW_LIMITS } from '../../src/core/flow-control.js';
import { LARGEST_READ_BYTES } from '../../src/pty/master.js';
import { FakeViewer } from '../fakes/fake-viewer.js';
import { sessionOf } from '../support/running-session.js';
import { runningSession } from '../support/running-session.js';
import { until } from '../support/until.js';
import { pattern, Shells } from './support/shells.js';

const { pauseAboveBytes } = DEFAULT_FLOW_LIMITS;

describe('the smallest log that may be set', () => {
  let shells: Shells;
  beforeEach(() => (shells = new Shells()));
  afterEach(() => shells.dispose());

  it('holds all that a lone viewer has not read before the process stands still', async () => {
    const { session, pty } = await runningSession({ logBytes: MIN_LOG_BYTES });
    const viewer = new FakeViewer(false);
    session.attach(viewer);
    const content = pattern(pauseAboveBytes + LARGEST_READ_BYTES);

    pty.print(content.subarray(0, pauseAboveBytes));
    expect(pty.paused).toBe(false);
    pty.print(content.subarray(pauseAboveBytes));
    expect(pty.paused).toBe(true);
    viewer.startReading();

    expect(viewer.bytes.equals(content)).toBe(true);
  });

  it('loses nothing of a real process to a lone viewer that is slow', async () => {
    const content = pattern(4 * pauseAboveBytes);
    writeFileSync(shells.path('content'), content);
    writeFileSync(shells.path('shell'), `#!/bin/sh\nexec cat ${shells.path('content')}\n`, { mode: 0o755 });
    const session = sessionOf(
      { ptys: shells.factory, logBytes: MIN_LOG_BYTES },
      { shell: shells.path('shell'), cwd: shells.home },
    );
    const viewer = new FakeViewer(false);
    session.attach(viewer);

    session.start();
    await until(() => session.log.end > pauseAboveBytes, 'the process is paused');
    viewer.startReading();
    await until(() => viewer.exits.length > 0, 'the process ends');

    expect(viewer.bytes.length).toBe(content.length);
    expect(viewer.bytes.equals(content)).toBe(true);
  });
});
