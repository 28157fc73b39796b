import { settled } from '../../test/support/running-session.js';
import { Inbox } from './inbox.js';

describe('the inbox', () => {
  it('handles a frame only when the one before is done, in order', async () => {
    const log: string[] = [];
    const inbox = new Inbox(async (data) => {
      log.push(`begin ${data.toString()}`);
      await Promise.resolve();
      log.push(`end ${data.toString()}`);
    });
    for (const text of ['a', 'b', 'c']) inbox.add(Buffer.from(text), false);
    await settled();
    expect(log).toEqual(['begin a', 'end a', 'begin b', 'end b', 'begin c', 'end c']);
  });

  it('begins with the first frame at once', () => {
    const log: string[] = [];
    const inbox = new Inbox((data) => {
      log.push(data.toString());
      return Promise.resolve();
    });
    inbox.add(Buffer.from('now'), false);
    expect(log).toEqual(['now']);
  });

  it('takes frames in every form ws may give them', async () => {
    const log: string[] = [];
    const inbox = new Inbox((data, isBinary) => {
      log.push(`${data.toString()} ${isBinary}`);
      return Promise.resolve();
    });
    inbox.add([Buffer.from('in '), Buffer.from('parts')], true);
    inbox.add(new Uint8Array(Buffer.from('an array')).buffer, false);
    await settled();
    expect(log).toEqual(['in parts true', 'an array false']);
  });

  it('forgets what waits when it is cleared', async () => {
    const log: string[] = [];
    const inbox = new Inbox(async (data) => {
      log.push(data.toString());
      await Promise.resolve();
    });
    inbox.add(Buffer.from('a'), false);
    inbox.add(Buffer.from('b'), false);
    inbox.clear();
    await settled();
    expect(log).toEqual(['a']);
  });
});
