import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type PtyLaunch } from '../core/pty.js';
import { type SessionErrorCode } from '../core/session-error.js';
import { DEFAULT_SIZE } from '../core/terminal-size.js';
import { plainLaunch, startable } from './launch-checks.js';

function launch(change: Partial<Record<keyof PtyLaunch, unknown>> = {}): PtyLaunch {
  return { file: '/bin/sh', args: ['-c', 'exit 0'], cwd: '/', size: DEFAULT_SIZE, ...change } as PtyLaunch;
}

const refusal = (code: SessionErrorCode): Error => expect.objectContaining({ code }) as Error;

describe('T16, T17, T21 · a launch that native code may be given', () => {
  it('is a copy: what its owner makes of it afterwards changes nothing', () => {
    const [args, size] = [['-c', 'exit 0'], { ...DEFAULT_SIZE }];
    const given = launch({ args, size });
    const plain = plainLaunch(given);
    expect(plain).toEqual(given);
    args.push('more');
    size.columns = 0;
    expect(plain).toEqual(launch());
  });

  it.each<[SessionErrorCode, keyof PtyLaunch, unknown]>([
    ['INVALID_SHELL', 'file', 'sh'],
    ['INVALID_SHELL', 'file', '/bin/sh\0x'],
    ['INVALID_SHELL', 'file', 5],
    ['INVALID_CWD', 'cwd', '.'],
    ['INVALID_CWD', 'cwd', '/tmp\0/x'],
    ['INVALID_CWD', 'cwd', ['/tmp']],
    ['SPAWN_FAILED', 'args', ['-c', 5]],
    ['SPAWN_FAILED', 'args', ['-c', 'exit \0']],
    ['SPAWN_FAILED', 'args', new Array(1)],
  ])('is refused with %s before the system is asked anything: %s is %j', (code, field, value) => {
    expect(() => plainLaunch(launch({ [field]: value }))).toThrow(refusal(code));
  });
});

describe('T16, T17 · a launch that can be made', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'trex-launch-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  it('is made as it is', async () => {
    expect(await startable(launch({ cwd: folder }))).toEqual(launch({ cwd: folder }));
  });

  it('has no file for its directory, be it one that may be executed, as a directory may be entered', async () => {
    await expect(startable(launch({ cwd: process.execPath }))).rejects.toThrow(refusal('INVALID_CWD'));
  });

  it('has no directory for its shell', async () => {
    await expect(startable(launch({ file: folder }))).rejects.toThrow(refusal('INVALID_SHELL'));
  });
});
