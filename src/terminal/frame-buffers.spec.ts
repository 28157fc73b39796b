import { FrameBuffers } from './frame-buffers.js';

const FULL_BYTES = 16 + 64 * 1024;

describe('frame buffers', () => {
  it('are used again once they have been given back, and not before', () => {
    const buffers = new FrameBuffers();
    const [first, second] = [buffers.take(FULL_BYTES), buffers.take(40_000)];
    expect(first).not.toBe(second);
    buffers.give(first);
    expect(buffers.take(FULL_BYTES)).toBe(first);
  });

  it('of small frames are as small as they are', () => {
    const buffers = new FrameBuffers();
    const small = buffers.take(17);
    expect(small).toHaveLength(17);
    buffers.give(small);
    expect(buffers.take(17)).not.toBe(small);
  });

  it('are kept up to a megabyte', () => {
    const buffers = new FrameBuffers();
    const taken = Array.from({ length: 20 }, () => buffers.take(FULL_BYTES));
    for (const buffer of taken) buffers.give(buffer);
    const again = Array.from({ length: 20 }, () => buffers.take(FULL_BYTES));
    expect(again.filter((buffer) => taken.includes(buffer))).toHaveLength(16);
  });
});
