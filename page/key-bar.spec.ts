import { withHeld } from './key-bar.js';

describe('keys that are held on a phone', () => {
  const ctrl = { isCtrl: true, isAlt: false };
  const alt = { isCtrl: false, isAlt: true };

  it.each([
    ['c', '\x03'],
    ['C', '\x03'],
    ['[', '\x1b'],
    [' ', '\0'],
    ['?', '\x7f'],
    ['é', 'é'],
    ['\x1b[A', '\x1b[1;5A'],
    ['\x1bOD', '\x1b[1;5D'],
  ])('make of Ctrl and %j %j', (data, typed) => {
    expect(withHeld(data, ctrl)).toBe(typed);
  });

  it('make of Alt what Escape does', () => {
    expect(withHeld('b', alt)).toBe('\x1bb');
    expect(withHeld('\x1b[C', alt)).toBe('\x1b[1;3C');
    expect(withHeld('c', { isCtrl: true, isAlt: true })).toBe('\x1b\x03');
  });

  it('wait while the emulator answers', () => {
    expect(withHeld('\x1b[?1;2c', ctrl)).toBeUndefined();
  });
});
