import { join } from 'node:path';
import { type Environment } from './environment.js';

/** Where a user's token is kept, unless a setting says otherwise: where users keep their settings. */
export function tokenPath(isReadOnly: boolean, env: Environment, home: string): string {
  return join(configHome(env, home), 'trex', isReadOnly ? 'read-only-token' : 'token');
}

/** A relative one is invalid, and to be ignored (the XDG Base Directory Specification). */
function configHome({ XDG_CONFIG_HOME: path }: Environment, home: string): string {
  return path?.startsWith('/') ? path : join(home, '.config');
}
