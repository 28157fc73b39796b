import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from './config/config-error.js';
import { writeToken } from './token-command.js';

describe('T11 · a fresh token', () => {
  let home: string;
  let umask: number;
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'trex-token-'));
    umask = process.umask();
  });
  afterEach(() => {
    process.umask(umask);
    rmSync(home, { recursive: true });
  });

  const modeOf = (path: string): number => statSync(path).mode & 0o777;

  it.each([
    [false, 'token', 'TREX_TOKEN_FILE'],
    [true, 'read-only-token', 'TREX_READ_ONLY_TOKEN_FILE'],
  ])('read-only: %p: is kept where users keep their settings', (isReadOnly, name, setting) => {
    const written = writeToken(isReadOnly, {}, home);
    const path = join(home, '.config/trex', name);
    expect(written).toEqual({ token: expect.stringMatching(/^[\w-]{43}$/) as string, path, setting });
    expect(readFileSync(path, 'utf8')).toBe(`${written.token}\n`);
    expect(readdirSync(join(home, '.config/trex'))).toEqual([name]);
  });

  it.each([0, 0o022, 0o077, 0o777])('can be read by nobody else, with a umask of %o', (mask) => {
    process.umask(mask & ~0o700);
    const { path } = writeToken(false, {}, home);
    expect(modeOf(path)).toBe(0o600);
    expect(modeOf(join(home, '.config/trex')) & 0o077).toBe(0);
  });

  it('goes where the server is told to read it from, and replaces what was there', () => {
    const path = join(home, 'own');
    writeFileSync(path, 'old', { mode: 0o644 });
    const first = writeToken(false, { TREX_TOKEN_FILE: path, XDG_CONFIG_HOME: '/nowhere' }, home);
    expect(first.path).toBe(path);
    expect(modeOf(path)).toBe(0o600);
    const second = writeToken(false, { TREX_TOKEN_FILE: path }, home);
    expect(second.token).not.toBe(first.token);
    expect(readFileSync(path, 'utf8')).toBe(`${second.token}\n`);
    expect(readdirSync(home)).toEqual(['own']);
  });

  it('goes where XDG_CONFIG_HOME says, unless that is no absolute path', () => {
    const config = join(home, 'config');
    expect(writeToken(false, { XDG_CONFIG_HOME: config }, home).path).toBe(join(config, 'trex/token'));
    expect(writeToken(false, { XDG_CONFIG_HOME: 'config' }, home).path).toBe(
      join(home, '.config/trex/token'),
    );
  });

  it('is not written where a setting is misspelt, or leads nowhere', () => {
    expect(() => writeToken(false, { TREX_TOKEN_FIEL: join(home, 'own') }, home)).toThrow(ConfigError);
    expect(() => writeToken(false, { TREX_TOKEN_FILE: 'own' }, home)).toThrow(ConfigError);
    expect(readdirSync(home)).toEqual([]);
  });

  it('leaves nothing half done where it cannot be written', () => {
    mkdirSync(join(home, 'token'));
    expect(() => writeToken(false, { TREX_TOKEN_FILE: join(home, 'token') }, home)).toThrow();
    expect(readdirSync(home)).toEqual(['token']);
    expect(() => writeToken(false, { TREX_TOKEN_FILE: 'token' }, home)).toThrow(
      'TREX_TOKEN_FILE must be an absolute path',
    );
  });
});
