import { contrast, mix, readableOn } from './colors.js';

describe('colours', () => {
  it('differ as WCAG counts it', () => {
    expect(contrast('#000000', '#ffffff')).toBeCloseTo(21);
    expect(contrast('#ffffff', '#000000')).toBeCloseTo(21);
    expect(contrast('#777777', '#777777')).toBe(1);
    expect(contrast('#767676', '#ffffff')).toBeCloseTo(4.54, 2);
  });

  it('are mixed by shares', () => {
    expect(mix('#000000', '#ffffff', 0)).toBe('#000000');
    expect(mix('#000000', '#ffffff', 1)).toBe('#ffffff');
    expect(mix('#102030', '#304050', 0.5)).toBe('#203040');
  });

  it('are changed as little as it takes to read them', () => {
    expect(readableOn(['#ffffff'], '#123456', '#000000')).toBe('#123456');
    const readable = readableOn(['#ffffff', '#eeeeee'], '#aaaaaa', '#000000');
    expect(contrast(readable, '#eeeeee')).toBeGreaterThanOrEqual(4.5);
    expect(contrast(readable, '#eeeeee')).toBeLessThan(5.5);
    expect(readableOn(['#777777'], '#777777', '#808080')).toBe('#808080');
  });
});
