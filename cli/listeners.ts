import { readFileSync } from 'node:fs';

/** Where the kernel lists TCP sockets: those of IPv4, and those that were opened as IPv6 (proc(5)). */
const TABLES = ['/proc/net/tcp', '/proc/net/tcp6'];
const LISTENING = '0A';

/** The ids of the users who listen at a port of this machine, whatever the address; none where nobody can tell. */
export function listeners(port: number, read: (path: string) => string = textOf): readonly number[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return TABLES.flatMap((path) => read(path).split('\n')).flatMap((line) => {
    const [, local, , state, , , , user] = line.trim().split(/ +/);
    return local?.endsWith(suffix) && state === LISTENING ? [Number(user)] : [];
  });
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    // Where IPv6 is off, one of them is missing; elsewhere than on Linux, both.
    return '';
  }
}
