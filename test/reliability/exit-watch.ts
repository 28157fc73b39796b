import { type WebSocket } from 'ws';

interface Message {
  readonly type: string;
  readonly sessionId?: string;
  readonly channel?: number;
  readonly sessions?: readonly Message[];
}

/** Of a frame: kind, zeros, channel. */
const CHANNEL_AT = 4;

/**
 * Looks at what a connection of `trex.v2` is sent, beside the client's library, which forgets a session once it has ended: of
 * each attachment one exit, and nothing behind it (I8). `found` is told what there is else, in words.
 */
export function watchExits(socket: WebSocket, found: (problem: string) => void): void {
  const sessionOn = new Map<number, string>();
  const ended = new Set<string>();
  const attach = ({ sessionId, channel }: Message): void => {
    if (sessionId === undefined || channel === undefined) return;
    sessionOn.set(channel, sessionId);
    ended.delete(sessionId);
  };
  // The client's library has binary frames come as `ArrayBuffer`, and text as ever.
  socket.on('message', (frame: ArrayBuffer | Buffer, isBinary: boolean) => {
    if (isBinary) {
      const sessionId = sessionOn.get(new DataView(frame as ArrayBuffer).getUint32(CHANNEL_AT));
      if (sessionId === undefined) found('I8: output on a channel that nobody was told of');
      else if (ended.has(sessionId)) found(`I8: output of ${sessionId} after its exit`);
      return;
    }
    const message = JSON.parse((frame as Buffer).toString()) as Message;
    const { type, sessionId = '' } = message;
    if (type === 'welcome') message.sessions?.forEach(attach);
    if (type === 'session_created' || type === 'attached') attach(message);
    if (type !== 'exit') return;
    if (ended.has(sessionId)) found(`I8: ${sessionId} was told to have ended twice`);
    ended.add(sessionId);
  });
}
