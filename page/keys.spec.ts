import { ariaKeysOf, commandOf, keysOf, platformOf, type Pressed } from './keys.js';

function pressed(chord: string, key: string, code = ''): Pressed {
  return {
    key,
    code,
    ctrlKey: chord.includes('ctrl'),
    shiftKey: chord.includes('shift'),
    altKey: chord.includes('alt'),
    metaKey: chord.includes('cmd'),
  };
}

describe('a key', () => {
  it.each([
    ['ctrl shift', 'Enter', 'Enter', 'new'],
    ['ctrl shift', 'ArrowDown', 'ArrowDown', 'next'],
    ['ctrl shift', 'F', 'KeyF', 'search'],
    ['ctrl shift', '>', 'Period', 'larger'],
    ['ctrl shift', '<', 'Comma', 'smaller'],
    ['ctrl shift', ')', 'Digit0', 'usualSize'],
    ['ctrl shift', '?', 'Slash', 'help'],
    // Another keyboard: what is printed on the key counts.
    ['ctrl shift', 'X', 'KeyB', 'close'],
    ['ctrl shift', ':', 'Period', 'larger'],
    ['ctrl shift', '>', 'IntlBackslash', 'larger'],
    // Another script: where the key is counts.
    ['ctrl shift', 'Л', 'KeyK', 'palette'],
  ])('%s %s asks for %4$s', (chord, key, code, command) => {
    expect(commandOf(pressed(chord, key, code), 'other')).toEqual({ command, isBrowsersOwn: false });
  });

  it.each([
    ['ctrl', 'f', 'KeyF'],
    ['ctrl', 'c', 'KeyC'],
    ['shift', 'F', 'KeyF'],
    ['', 'Enter', 'Enter'],
    ['ctrl shift alt', 'F', 'KeyF'],
    ['ctrl shift', 'Q', 'KeyQ'],
    ['ctrl', '1', 'Digit1'],
    // ^_ and ^@, wherever they are.
    ['ctrl shift', '_', 'Minus'],
    ['ctrl shift', '@', 'Digit2'],
    ['ctrl shift', '_', 'Comma'],
    ['ctrl shift', '@', 'Digit0'],
    ['ctrl shift', '!', 'Digit1'],
    ['ctrl shift', '^', 'Digit6'],
    ['ctrl shift', 'W', 'Comma'],
    ['alt', '1', 'Digit1'],
    ['ctrl shift', 'B', 'KeyX'],
  ])('%s %s is the terminal’s', (chord, key, code) => {
    expect(commandOf(pressed(chord, key, code), 'other')).toBeUndefined();
  });

  it('that only a browser can follow is left to it', () => {
    expect(commandOf(pressed('ctrl shift', 'V', 'KeyV'), 'other')).toEqual({
      command: 'paste',
      isBrowsersOwn: true,
    });
    expect(commandOf(pressed('cmd', 'c', 'KeyC'), 'mac')).toEqual({ command: 'copy', isBrowsersOwn: true });
  });

  it('is another one on a Mac', () => {
    expect(commandOf(pressed('cmd', 'k', 'KeyK'), 'mac')?.command).toBe('palette');
    expect(commandOf(pressed('alt cmd', '¡', 'Digit1'), 'mac')?.command).toBe('jump1');
    expect(commandOf(pressed('ctrl shift', 'F', 'KeyF'), 'mac')).toBeUndefined();
  });

  it('is told to people and to screen readers', () => {
    expect(keysOf('new', 'other')).toEqual(['Ctrl', 'Shift', 'Enter']);
    expect(keysOf('larger', 'other')).toEqual(['Ctrl', 'Shift', '>']);
    expect(keysOf('jump2', 'other')).toEqual(['Ctrl', 'Shift', 'G', '2']);
    expect(keysOf('jump2', 'mac')).toEqual(['⌥', '⌘', '2']);
    expect(keysOf('next', 'mac')).toEqual(['⌥', '⌘', '↓']);
    expect(ariaKeysOf('larger', 'other')).toBe('Control+Shift+>');
    expect(ariaKeysOf('search', 'mac')).toBe('Meta+F');
  });

  it('depends on the machine', () => {
    expect(platformOf('Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)')).toBe('mac');
    expect(platformOf('Mozilla/5.0 (X11; Linux x86_64)')).toBe('other');
  });
});
