import fc from 'fast-check';
import assert from 'node:assert/strict';
import { type FlowLimits, shouldPause } from '../../src/core/flow-control.js';
import { runs } from '../support/runs.js';

const limits: fc.Arbitrary<FlowLimits> = fc
  .tuple(fc.integer({ min: 1, max: 100 }), fc.nat(100))
  .map(([resumeBelowBytes, apart]) => ({ resumeBelowBytes, pauseAboveBytes: resumeBelowBytes + apart }));
const backlogs = fc.array(fc.nat(250), { minLength: 1, maxLength: 100, size: 'max' });

describe('properties of flow control', () => {
  it('pauses above the upper mark, resumes below the lower one, and between them leaves things as they are', () => {
    fc.assert(
      fc.property(limits, backlogs, ({ pauseAboveBytes, resumeBelowBytes }, steps) => {
        let paused = false;
        let lastCrossed: 'above' | 'below' = 'below';
        for (const backlog of steps) {
          if (backlog > pauseAboveBytes) lastCrossed = 'above';
          if (backlog < resumeBelowBytes) lastCrossed = 'below';
          paused = shouldPause(paused, backlog, { pauseAboveBytes, resumeBelowBytes });
          assert.equal(paused, lastCrossed === 'above');
        }
      }),
      { numRuns: runs(1000) },
    );
  });

  it('gives the same answer when asked again', () => {
    fc.assert(
      fc.property(limits, fc.boolean(), fc.nat(250), (marks, before, backlog) => {
        const paused = shouldPause(before, backlog, marks);
        assert.equal(shouldPause(paused, backlog, marks), paused);
      }),
      { numRuns: runs(1000) },
    );
  });

  it('lets a process go on whose viewers have seen everything', () => {
    fc.assert(
      fc.property(limits, fc.boolean(), (marks, before) => {
        expect(shouldPause(before, 0, marks)).toBe(false);
      }),
      { numRuns: runs(100) },
    );
  });
});
