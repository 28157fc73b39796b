import fc from 'fast-check';
import assert from 'node:assert/strict';
import { type Attachment } from '../../src/core/attachment.js';
import { FakeViewer } from '../fakes/fake-viewer.js';
import { runningSession } from '../support/running-session.js';
import { runs } from '../support/runs.js';

const KIB = 1024;
const LARGEST_READ_BYTES = 64 * KIB;
/** The least that may be configured, a little more, and what is kept by default. */
const logBytes = fc.constantFrom(256 * KIB, 256 * KIB + 1, 300_000, 1024 * KIB);
const share = fc.constantFrom(0.1, 0.5, 1);
const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      type: fc.constant('print' as const),
      bytes: fc.oneof(fc.constant(LARGEST_READ_BYTES), fc.integer({ min: 1, max: LARGEST_READ_BYTES })),
    }),
  },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('send' as const), share }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('consume' as const), share }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('hold' as const) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('resume' as const), share }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('wait' as const) }) },
);

describe('properties of output for the only viewer, that may lose its connection', () => {
  it(
    'is never lost before it is consumed, whatever is read, sent and acknowledged, and however long it takes',
    async () => {
      let pauses = 0;
      await fc.assert(
        fc.asyncProperty(logBytes, fc.array(step, { maxLength: 80, size: 'max' }), async (bytes, program) => {
          const { session, pty, clock } = await runningSession({ logBytes: bytes });
          const viewer = new FakeViewer(false);
          let attachment: Attachment = session.attach(viewer, 0, { isResumable: true });
          let hasReadOnce = false;
          for (const next of program) {
            switch (next.type) {
              case 'print': {
                // One read may be under way when the process is paused.
                const { paused } = pty;
                if (paused && hasReadOnce) break;
                hasReadOnce = paused;
                pty.paused = false;
                pty.print(Buffer.alloc(next.bytes));
                pty.paused ||= paused;
                break;
              }
              case 'send':
                if (!attachment.isHeld) {
                  attachment.advance(attachment.offset + Math.floor(attachment.backlog * next.share));
                }
                break;
              case 'consume': {
                const sent = attachment.offset - attachment.consumedOffset;
                attachment.consumed(attachment.consumedOffset + Math.floor(sent * next.share));
                break;
              }
              case 'hold':
                attachment.hold();
                break;
              case 'resume': {
                // From what it has received, or, where that was lost, from what it consumed.
                const { consumedOffset, offset } = attachment;
                const from = consumedOffset + Math.floor((offset - consumedOffset) * next.share);
                attachment = session.attach(viewer, from, { isResumable: true, replaced: attachment });
                assert.equal(attachment.offset, from);
                break;
              }
              case 'wait':
                clock.advance(29_999);
                break;
            }
            if (!pty.paused) hasReadOnce = false;
            if (pty.paused) pauses += 1;
            assert(session.log.start <= attachment.consumedOffset);
          }
          // However little is held back, it is not for ever.
          if (attachment.isHeld) {
            attachment = session.attach(viewer, attachment.consumedOffset, {
              isResumable: true,
              replaced: attachment,
            });
          }
          attachment.advance(session.log.end);
          attachment.consumed(session.log.end);
          assert.equal(pty.paused, false);
          attachment.detach();
          assert.equal(clock.timers, 0);
        }),
        { numRuns: runs(500) },
      );
      expect(pauses).toBeGreaterThan(500);
    },
    runs(60_000),
  );
});
