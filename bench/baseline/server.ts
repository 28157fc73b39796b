/**
 * What a terminal server costs at the least: node-pty and ws, joined by hand. One session per connection; its bytes as
 * they are in binary frames, or, with `--json`, decoded in text frames. Nothing is kept, nothing can be resized.
 */
import { spawn } from 'node-pty';
import { type AddressInfo } from 'node:net';
import { StringDecoder } from 'node:string_decoder';
import { type WebSocket, WebSocketServer } from 'ws';

const PAUSE_ABOVE_BYTES = 1024 * 1024;
const RESUME_BELOW_BYTES = 256 * 1024;

const isJson = process.argv.includes('--json');

function serve(socket: WebSocket): void {
  const pty = spawn('/bin/sh', [], { encoding: null, name: 'xterm-256color', cols: 80, rows: 24 });
  const decoder = new StringDecoder('utf8');
  let paused = false;

  const taken = (): void => {
    if (!paused || socket.bufferedAmount >= RESUME_BELOW_BYTES) return;
    paused = false;
    pty.resume();
  };
  pty.onData((chunk) => {
    // With `encoding: null` it is a Buffer, whatever the type says.
    const bytes = chunk as unknown as Buffer;
    socket.send(isJson ? JSON.stringify({ type: 'output', data: decoder.write(bytes) }) : bytes, taken);
    if (paused || socket.bufferedAmount <= PAUSE_ABOVE_BYTES) return;
    paused = true;
    pty.pause();
  });
  pty.onExit(() => socket.close());

  socket.on('message', (frame: Buffer) => {
    pty.write(isJson ? (JSON.parse(frame.toString()) as { data: string }).data : frame);
  });
  socket.on('close', () => pty.kill());
}

const server = new WebSocketServer({ host: '127.0.0.1', port: 0, path: '/ws', perMessageDeflate: false });
server.on('connection', serve);
server.on('listening', () => {
  console.log(`the baseline is listening on http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
process.on('SIGTERM', () => process.exit());
