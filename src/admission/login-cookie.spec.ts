import { cookieName, readCookies, setCookie } from './login-cookie.js';

describe('T12 · the cookie of a login', () => {
  it('is read by no script, and sent by no other site’s page', () => {
    expect(setCookie(cookieName(3000, 'http'), 'v.1.x', 60, 'http')).toBe(
      'trex-3000=v.1.x; Path=/; Max-Age=60; HttpOnly; SameSite=Strict',
    );
    expect(setCookie(cookieName(443, 'https'), 'v.1.x', 60, 'https')).toBe(
      '__Host-trex-443=v.1.x; Path=/; Max-Age=60; HttpOnly; SameSite=Strict; Secure',
    );
  });

  it('is found among others by its whole name', () => {
    const headers = ['a=1; trex-3000=one; xtrex-3000=two; trex-30001=three', 'trex-3000=four;trex-3000='];
    expect(readCookies(headers, 'trex-3000')).toEqual(['one', 'four', '']);
    expect(readCookies([], 'trex-3000')).toEqual([]);
  });
});
