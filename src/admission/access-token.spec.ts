import { timingSafeEqual } from 'node:crypto';
import { isToken } from '../config/settings.js';
import { AccessTokens, newToken } from './access-token.js';

const token = newToken();
const readOnlyToken = newToken();
const NOW = 1_800_000_000;
const DAY = 24 * 60 * 60;

describe('T11 · a fresh token', () => {
  it('has 256 bits, and is another each time', () => {
    const tokens = Array.from({ length: 1000 }, newToken);
    expect(new Set(tokens).size).toBe(tokens.length);
    for (const one of tokens) {
      expect(one).toMatch(/^[\w-]{43}$/);
      expect(isToken(one)).toBe(true);
    }
  });
});

describe('T11 · the tokens of a server', () => {
  it('let do what each is for', () => {
    const tokens = new AccessTokens({ token, readOnlyToken });
    expect(tokens.areRequired).toBe(true);
    expect(tokens.accessOf(token)).toBe('full');
    expect(tokens.accessOf(readOnlyToken)).toBe('readOnly');
  });

  it.each([
    '',
    'x',
    token.slice(1),
    `${token}x`,
    ` ${token}`,
    token.toLowerCase().replace(/^./, '_'),
    token + readOnlyToken,
    '\0',
    'é'.repeat(50),
    'x'.repeat(100_000),
  ])('let nobody in with %.50p', (wrong) => {
    expect(new AccessTokens({ token, readOnlyToken }).accessOf(wrong)).toBeUndefined();
  });

  it('are not needed where there are none, and then none is right', () => {
    const tokens = new AccessTokens({});
    expect(tokens.areRequired).toBe(false);
    expect(tokens.accessOf(token)).toBeUndefined();
  });

  it('are compared as digests, all of them, whichever is right', () => {
    const compared: [number, number][] = [];
    const tokens = new AccessTokens({ token, readOnlyToken }, (a, b) => {
      compared.push([a.length, b.length]);
      return timingSafeEqual(a, b);
    });
    for (const shown of [token, readOnlyToken, 'wrong', '']) tokens.accessOf(shown);
    expect(compared).toEqual(Array(8).fill([32, 32]));
  });
});

describe('T12 · a login', () => {
  it('lets do what its token does, until it ends', () => {
    const tokens = new AccessTokens({ token, readOnlyToken });
    for (const access of ['full', 'readOnly'] as const) {
      const { value, seconds } = tokens.loginFor(access, NOW);
      expect(seconds).toBe(30 * DAY);
      expect(value).toMatch(/^[\w.-]+$/);
      expect(value).not.toContain(token);
      expect(tokens.accessOfLogin(value, NOW)).toBe(access);
      expect(tokens.accessOfLogin(value, NOW + 30 * DAY - 1)).toBe(access);
      expect(tokens.accessOfLogin(value, NOW + 30 * DAY)).toBeUndefined();
    }
  });

  it('is nothing that anybody could make or change', () => {
    const tokens = new AccessTokens({ token, readOnlyToken });
    const { value } = tokens.loginFor('readOnly', NOW);
    const [, until, seal] = value.split('.');
    const forged = [
      `full.${until}.${seal}`,
      `readOnly.${Number(until) + 1}.${seal}`,
      `readOnly.0${until}.${seal}`,
      `readOnly.${until}.${seal!.replace(/^./, (first) => (first === 'A' ? 'B' : 'A'))}`,
      `readOnly.${until}.`,
      `readOnly.${until}`,
      `${value}.`,
      '',
      'readOnly',
      `constructor.${until}.${seal}`,
    ];
    for (const one of forged) expect([one, tokens.accessOfLogin(one, NOW)]).toEqual([one, undefined]);
  });

  it('ends when the token is another, or none', () => {
    const { value } = new AccessTokens({ token }).loginFor('full', NOW);
    expect(new AccessTokens({ token: newToken() }).accessOfLogin(value, NOW)).toBeUndefined();
    expect(new AccessTokens({ readOnlyToken: token }).accessOfLogin(value, NOW)).toBeUndefined();
    expect(new AccessTokens({}).accessOfLogin(value, NOW)).toBeUndefined();
  });
});
