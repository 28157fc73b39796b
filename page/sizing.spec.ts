import { Sizing } from './sizing.js';

const SMALL = { cols: 80, rows: 24 };
const LARGE = { cols: 200, rows: 50 };

describe('whose size a terminal has', () => {
  it('is for the only viewer to say, once what is old is shown', () => {
    const sizing = new Sizing(false);
    sizing.resized(SMALL);
    expect(sizing.control(true)).toBe(false);
    expect(sizing.isOwn).toBe(false);
    expect(sizing.settled()).toBe(true);
    expect(sizing.isOwn).toBe(true);
  });

  it('is another viewer’s where there is one', () => {
    const sizing = new Sizing(false);
    sizing.resized(SMALL);
    sizing.control(false);
    expect(sizing.settled()).toBe(false);
    expect(sizing.isOwn).toBe(false);
  });

  it('becomes another’s when they resize', () => {
    const sizing = new Sizing(false);
    sizing.control(true);
    sizing.settled();
    sizing.said(LARGE);
    sizing.resized(SMALL);
    sizing.control(false);
    expect(sizing.isOwn).toBe(false);
  });

  it('is left to who remains', () => {
    const sizing = new Sizing(false);
    sizing.control(false);
    sizing.settled();
    expect(sizing.control(true)).toBe(true);
  });

  it('is not taken by typing', () => {
    const sizing = new Sizing(false);
    sizing.control(false);
    sizing.settled();
    sizing.typed();
    expect(sizing.control(true)).toBe(false);
    expect(sizing.isOwn).toBe(false);
    // They type, and then leave.
    sizing.control(false);
    expect(sizing.control(true)).toBe(true);
  });

  it('stays one’s own when the server tells it again after a loss of the connection', () => {
    const sizing = new Sizing(false);
    sizing.control(true);
    sizing.settled();
    sizing.said(LARGE);
    sizing.resized(SMALL);
    sizing.resized({ ...LARGE });
    expect(sizing.isOwn).toBe(true);
  });

  it('is never for who only watches to say', () => {
    const sizing = new Sizing(true);
    sizing.control(true);
    expect(sizing.settled()).toBe(false);
    expect(sizing.control(true)).toBe(false);
  });
});
