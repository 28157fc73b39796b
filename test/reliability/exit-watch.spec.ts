import { EventEmitter } from 'node:events';
import { type WebSocket } from 'ws';
import { encodeFrame } from '../../src/protocol/frames.js';
import { watchExits } from './exit-watch.js';

describe('whoever looks at what a connection is sent', () => {
  function watched(): {
    says: (message: object) => void;
    prints: (channel: number) => void;
    found: string[];
  } {
    const socket = new EventEmitter();
    const found: string[] = [];
    watchExits(socket as WebSocket, (problem) => found.push(problem));
    return {
      found,
      says: (message) => void socket.emit('message', Buffer.from(JSON.stringify(message)), false),
      prints: (channel) => {
        const bytes = Buffer.from('x');
        socket.emit('message', encodeFrame({ kind: 'output', channel, offset: 0, bytes }).buffer, true);
      },
    };
  }

  it('finds nothing in a session that is shown, ends, and is shown again', () => {
    const { says, prints, found } = watched();
    says({ type: 'session_created', sessionId: 's1', channel: 1 });
    prints(1);
    says({ type: 'exit', sessionId: 's1' });
    says({ type: 'attached', sessionId: 's1', channel: 2 });
    prints(2);
    says({ type: 'exit', sessionId: 's1' });
    says({ type: 'welcome', sessions: [{ sessionId: 's2', channel: 3 }, { sessionId: 's3' }] });
    prints(3);
    expect(found).toEqual([]);
  });

  it('finds an exit too many, what comes behind one, and what belongs nowhere', () => {
    const { says, prints, found } = watched();
    says({ type: 'session_created', sessionId: 's1', channel: 1 });
    says({ type: 'exit', sessionId: 's1' });
    prints(1);
    says({ type: 'exit', sessionId: 's1' });
    prints(9);
    expect(found).toEqual([
      'I8: output of s1 after its exit',
      'I8: s1 was told to have ended twice',
      'I8: output on a channel that nobody was told of',
    ]);
  });
});
