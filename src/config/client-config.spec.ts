import { type ClientConfig, readClientConfig } from './client-config.js';
import { ConfigError } from './config-error.js';
import { type Environment } from './environment.js';
import { type Machine } from './machine.js';

const TOKEN = 't'.repeat(43);
const WRITTEN = 'w'.repeat(43);

/** A machine with these files, which only their owner can read. */
function machine(files: Readonly<Record<string, string>> = {}): Machine {
  return {
    home: '/home/ada',
    shells: ['/bin/sh'],
    mayExecute: () => true,
    directory: (path) => path,
    readSecret: (path) => {
      const { [path]: text } = files;
      if (text === undefined) return { refused: 'cannot be read' };
      return text === 'open' ? { refused: 'is open to others: chmod 600 it' } : { text };
    },
  };
}

const written = machine({ '/home/ada/.config/trex/token': `${WRITTEN}\n`, '/etc/trex/token': TOKEN });

function problemsOf(env: Environment, on = machine(), asked?: string): readonly string[] {
  try {
    readClientConfig(env, on, asked);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('readClientConfig', () => {
  it.each<[string, Environment, string | undefined]>([
    ['http://127.0.0.1:3000', {}, undefined],
    ['http://127.0.0.1:4000', { TREX_PORT: '4000' }, undefined],
    ['http://127.0.0.1:3000', { TREX_PORT: '0' }, undefined],
    ['http://127.0.0.1:3000', { TREX_HOST: '0.0.0.0' }, undefined],
    ['http://[::1]:4000', { TREX_HOST: '::', TREX_PORT: '4000' }, undefined],
    ['http://trex.example:3000', { TREX_HOST: 'trex.example' }, undefined],
    ['https://example.com/trex', { TREX_URL: 'https://example.com/trex/', TREX_PORT: '4000' }, undefined],
    ['https://asked.example', { TREX_URL: 'https://example.com' }, 'https://asked.example/'],
  ])('finds the server at %s', (url, env, asked) => {
    expect(readClientConfig(env, machine(), asked)).toEqual({ url, isTokenFound: false });
  });

  it.each<[string, Environment, string | undefined]>([
    ['the one that is set', { TREX_TOKEN: TOKEN }, TOKEN],
    ['that of the file that is set', { TREX_TOKEN_FILE: '/etc/trex/token' }, TOKEN],
    ['the one that was written', {}, WRITTEN],
    ['the one that was written, at a loopback by any name', { TREX_URL: 'http://[::1]:3000' }, WRITTEN],
    ['none to a server of elsewhere', { TREX_URL: 'https://example.com' }, undefined],
    ['none to what only looks like a loopback', { TREX_URL: 'http://127.0.0.1.example' }, undefined],
    ['what was meant for it', { TREX_URL: 'https://example.com', TREX_TOKEN: TOKEN }, TOKEN],
  ])('shows it a token: %s', (_, env, token) => {
    const config: ClientConfig = readClientConfig(env, written);
    expect([config.token, config.isTokenFound]).toEqual([token, token === WRITTEN]);
  });

  it.each<[Environment, string | undefined, RegExp]>([
    [{ TREX_URL: 'example.com' }, undefined, /^TREX_URL must be an address .*got "example.com"$/],
    [{}, 'ftp://example.com', /^--url must be an address .*got "ftp:\/\/example.com"$/],
    [{}, 'http://ada:secret@example.com', /^--url must be/],
    [{}, 'http://example.com/?token=secret', /^--url must be/],
    [{}, '', /^--url must be/],
    [{ TREX_TOKEN_FILE: '/nowhere' }, undefined, /^TREX_TOKEN_FILE must be .*cannot be read$/],
    [{ TREX_TOKEN: 'short' }, undefined, /^TREX_TOKEN must be [^"]*$/],
    [{ TREX_URI: 'http://example.com' }, undefined, /^TREX_URI is not a setting; did you mean TREX_URL\?$/],
  ])('refuses %j with --url %j', (env, asked, problem) => {
    expect(problemsOf(env, machine(), asked)).toEqual([expect.stringMatching(problem)]);
  });

  it('does not show a written token that others can read, and says so', () => {
    const problems = problemsOf({}, machine({ '/home/ada/.config/trex/token': 'open' }));
    expect(problems).toEqual([expect.stringMatching(/\/trex\/token is open to others: chmod 600 it$/)]);
  });
});
