/** Who the server runs as, for what its own environment does not say. */
export interface Account {
  readonly username: string;
  readonly homedir: string;
}

const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Passed on as they are. Everything else of the server's stays with the server: it may be a secret. */
const INHERITED = /^(LANG|TZ|LC_[A-Z]+)$/;

/** The environment of a shell, from nothing but what a login would give it. */
export function childEnvironment(
  server: Readonly<Record<string, string | undefined>>,
  account: Account,
  shell: string,
  cwd: string,
): Record<string, string> {
  const inherited = Object.entries(server).filter(
    ([name, value]) => value !== undefined && INHERITED.test(name),
  );
  return {
    // Without any, programs take every character beyond ASCII for garbage.
    LANG: 'C.UTF-8',
    ...(Object.fromEntries(inherited) as Record<string, string>),
    TERM: 'xterm-256color',
    COLORTERM: 'truecolor',
    HOME: server.HOME ?? account.homedir,
    USER: server.USER ?? account.username,
    LOGNAME: server.LOGNAME ?? server.USER ?? account.username,
    SHELL: shell,
    PATH: shellPath(server.PATH ?? ''),
    PWD: cwd,
  };
}

/**
 * A server started by an npm script has the script's tools in front of its path: node_modules/.bin of the project and
 * of every directory above it, and npm's own node-gyp. In a person's shell they would shadow what is installed.
 */
function shellPath(path: string): string {
  const entries = path
    .split(':')
    .filter((entry) => entry !== '' && !/\/(node_modules\/\.bin|node-gyp-bin)\/?$/.test(entry));
  return entries.join(':') || DEFAULT_PATH;
}
