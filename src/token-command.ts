import { randomUUID } from 'node:crypto';
import { chmodSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, isAbsolute } from 'node:path';
import { newToken } from './admission/access-token.js';
import { ConfigError } from './config/config-error.js';
import { type Environment, unknownNames } from './config/environment.js';
import { settings } from './config/settings.js';
import { tokenPath } from './config/token-path.js';

interface Written {
  readonly token: string;
  readonly path: string;
  /** What the server is to be started with to know of it. */
  readonly setting: string;
}

/**
 * Writes a fresh token into the file that the server is told to read it from, or where users keep their settings
 * (`XDG_CONFIG_HOME`): only its owner can read it, from the first moment on. One that was there is replaced at once.
 * @throws {ConfigError}, or what the file system says
 */
export function writeToken(isReadOnly: boolean, env: Environment, home: string): Written {
  const setting = (isReadOnly ? settings.readOnlyTokenFile : settings.tokenFile).name;
  const { [setting]: told = '' } = env;
  const problems = unknownNames(env);
  if (told !== '' && !isAbsolute(told)) problems.push(`${setting} must be an absolute path`);
  if (problems.length > 0) throw new ConfigError(problems);
  const path = told === '' ? tokenPath(isReadOnly, env, home) : told;
  const token = newToken();
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const fresh = `${path}.${randomUUID()}.new`;
  writeFileSync(fresh, `${token}\n`, { mode: 0o600, flag: 'wx' });
  try {
    // Whatever the umask left of that.
    chmodSync(fresh, 0o600);
    renameSync(fresh, path);
  } catch (error) {
    rmSync(fresh, { force: true });
    throw error;
  }
  return { token, path, setting };
}
