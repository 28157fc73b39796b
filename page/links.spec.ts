import { openableUrl } from './links.js';

describe('a link in the output', () => {
  it.each(['http://example.com/', 'https://example.com/a?b=c#d', 'HTTPS://EXAMPLE.COM'])(
    '%s may be opened',
    (text) => {
      expect(openableUrl(text)?.href).toBe(new URL(text).href);
    },
  );

  it.each([
    'javascript:alert(1)',
    ' javascript:alert(1)',
    'data:text/html,x',
    'file:///etc/passwd',
    'ssh://host',
    'vscode://file/x',
    'example.com',
    '//example.com',
    '',
  ])('%j may not', (text) => {
    expect(openableUrl(text)).toBeUndefined();
  });

  it('shows a host of another script as what it is', () => {
    expect(openableUrl('https://аpple.com/')?.host).toBe('xn--pple-43d.com');
  });
});
