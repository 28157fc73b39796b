import { admit } from './admit.js';

const rules = { allowedOrigins: ['https://ide.example', 'chrome-extension://abcdefghijklmnop'] };
const admitted = (host: string | string[], origin?: string | string[]): boolean =>
  admit({ hosts: [host].flat(), origins: origin === undefined ? [] : [origin].flat() }, rules) === undefined;

describe('T02 · the host', () => {
  it.each([
    'localhost',
    'localhost:3000',
    'LOCALHOST:3000',
    '127.0.0.1',
    '127.0.0.1:3000',
    '127.255.0.3:1',
    '[::1]',
    '[::1]:3000',
    'localhost:65535',
  ])('%p is let in', (host) => {
    expect(admitted(host)).toBe(true);
  });

  it.each([
    '',
    ' ',
    'evil.example',
    '127.attacker.example',
    '127.0.0.1.evil.com',
    'localhost.evil.com',
    'evil.com:127.0.0.1',
    'localhost.',
    'localhost ',
    ' localhost',
    'localhost\n',
    'xlocalhost',
    'localhostx',
    '2130706433',
    '0x7f000001',
    '0x7f.0.0.1',
    '127.1',
    '127.0.1',
    '0177.0.0.1',
    '127.0.0.01',
    '127.0.0.256',
    '127.0.0.1000',
    '128.0.0.1',
    '[::ffff:127.0.0.1]',
    '[0:0:0:0:0:0:0:1]',
    '::1',
    '[::1',
    '[::]',
    '0.0.0.0',
    '192.168.1.1:3000',
    'localhost:0',
    'localhost:65536',
    'localhost:03000',
    'localhost:',
    'localhost:80:80',
    'localhost:3000/',
    'localhost@evil.com',
    'evil.com@localhost',
    'http://localhost',
    '１２７.0.0.1',
    'localhost\0',
    'localhost,localhost',
    'l'.repeat(5000),
  ])('%.40p is refused', (host) => {
    expect(admitted(host)).toBe(false);
  });

  it('is named exactly once', () => {
    expect(admitted([])).toBe(false);
    expect(admitted(['localhost', 'localhost'])).toBe(false);
  });
});

describe('T01, T03, T04 · the origin', () => {
  it.each([
    ['localhost:3000', 'http://localhost:3000'],
    ['LocalHost:3000', 'http://localhost:3000'],
    ['127.0.0.1:3000', 'http://127.0.0.1:3000'],
    ['[::1]:3000', 'http://[::1]:3000'],
    ['localhost', 'http://localhost'],
    ['localhost:80', 'http://localhost'],
    ['localhost:3000', 'https://ide.example'],
    ['localhost:3000', 'chrome-extension://abcdefghijklmnop'],
  ])('at %s from %s is let in', (host, origin) => {
    expect(admitted(host, origin)).toBe(true);
  });

  it.each([
    'https://evil.example',
    'http://evil.example:3000',
    'https://localhost:3000',
    'http://localhost:3001',
    'http://localhost',
    'http://127.0.0.1:3000',
    'http://[::1]:3000',
    'http://localhost:3000/',
    'http://localhost:3000.evil.example',
    'http://localhost:30000',
    'http://localhost:3000, http://evil.example',
    'http://localhost:3000,',
    ' http://localhost:3000',
    'HTTP://LOCALHOST:3000',
    'http://user@localhost:3000',
    'null',
    '',
    'file://',
    'chrome-extension://x',
    'chrome-extension://abcdefghijklmnopq',
    'moz-extension://x',
    'vscode-webview://x',
    'blob:http://localhost:3000',
    'https://ide.example.evil.example',
    'https://ide.example:443',
    'http://ide.example',
    'https://IDE.example',
    'ws://localhost:3000',
  ])('%p is refused', (origin) => {
    expect(admitted('localhost:3000', origin)).toBe(false);
  });

  it('given twice is refused, be it the same', () => {
    expect(admitted('localhost:3000', ['http://localhost:3000', 'http://localhost:3000'])).toBe(false);
  });

  it('T05 · may be missing: programs that are no browser send none', () => {
    expect(admitted('localhost:3000')).toBe(true);
  });
});
