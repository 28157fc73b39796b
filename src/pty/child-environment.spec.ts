import { childEnvironment } from './child-environment.js';

const account = { username: 'somebody', homedir: '/home/somebody' };

function environmentOf(server: Record<string, string | undefined>): Record<string, string> {
  return childEnvironment(server, account, '/bin/zsh', '/srv');
}

describe('T18: the environment of a shell', () => {
  it('is a login without anything of the server, for whom the server runs as', () => {
    expect(environmentOf({})).toEqual({
      TERM: 'xterm-256color',
      COLORTERM: 'truecolor',
      LANG: 'C.UTF-8',
      HOME: '/home/somebody',
      USER: 'somebody',
      LOGNAME: 'somebody',
      SHELL: '/bin/zsh',
      PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      PWD: '/srv',
    });
  });

  it('passes on language, time zone and who the user is', () => {
    const server = {
      LANG: 'de_DE.UTF-8',
      LC_ALL: 'C',
      LC_TIME: 'en_GB.UTF-8',
      TZ: 'UTC',
      HOME: '/h',
      USER: 'u',
      LOGNAME: 'l',
    };
    expect(environmentOf(server)).toMatchObject(server);
  });

  it.each([
    'TREX_TOKEN',
    'NODE_OPTIONS',
    'LD_PRELOAD',
    'BASH_ENV',
    'ENV',
    'PS1',
    'npm_config_cache',
    'LC_',
    'lc_all',
    'XLANG',
  ])('T19 · keeps %s to the server', (name) => {
    expect(environmentOf({ [name]: 'canary' })).not.toHaveProperty([name]);
    expect(Object.values(environmentOf({ [name]: 'canary' }))).not.toContain('canary');
  });

  it('takes neither terminal nor shell from the server', () => {
    const server = { TERM: 'dumb', COLORTERM: '', SHELL: '/bin/false', PWD: '/elsewhere' };
    expect(environmentOf(server)).toMatchObject({ TERM: 'xterm-256color', SHELL: '/bin/zsh', PWD: '/srv' });
  });

  it('names the user once when the server says only one of the names', () => {
    expect(environmentOf({ USER: 'u' })).toMatchObject({ USER: 'u', LOGNAME: 'u' });
  });

  it.each([
    ['/srv/trex/node_modules/.bin:/srv/node_modules/.bin:/node_modules/.bin:/usr/bin', '/usr/bin'],
    [
      '/usr/lib/node_modules/npm/node_modules/@npmcli/run-script/lib/node-gyp-bin:/opt/bin:/bin',
      '/opt/bin:/bin',
    ],
    ['/usr/bin::/opt/my.bin/:/home/me/.bin', '/usr/bin:/opt/my.bin/:/home/me/.bin'],
    ['/srv/node_modules/.bin/', '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
    ['', '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
  ])('takes from the path %j what npm has put there for its scripts', (server, shell) => {
    expect(environmentOf({ PATH: server }).PATH).toBe(shell);
  });
});
