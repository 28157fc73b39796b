/**
 * Generates the exchanges at the end of docs/protocol.md from a real server and real shells (`npm run exchanges`), or
 * checks that the committed ones are what they do today. What differs from machine to machine or from run to run
 * (home, prompt, epoch, token) is written alike, and output that came in several frames is shown as one. What the terminal
 * has taken is acknowledged at any moment within 10 ms: it is shown where the exchange asks for it.
 */
import { readFileSync } from 'node:fs';
import { WebSocket } from 'ws';
import { writeOrCheck } from './committed-file.mjs';
import { PROMPT, withRealServer } from './real-server.mjs';

const DOCUMENT = 'docs/protocol.md';
const HEADER_BYTES = 16;
/** Another one each time. */
const SECRETS = /"(epoch|resumeToken)":"[^"]+"/g;
const kinds = { output: 1, input: 2 };

let lines = [];
let alike;
let text = readFileSync(DOCUMENT, 'utf8');
for (const [protocol, exchange] of [
  ['trex.v1', json],
  ['trex.v2', frames],
]) {
  await withRealServer(
    async (server) => {
      alike = server.alike;
      await exchange(`${server.url.replace('http', 'ws')}/ws`);
    },
    () => lines.join('\n'),
  );
  keep(protocol);
}
writeOrCheck(DOCUMENT, text, 'npm run exchanges');

async function json(url) {
  const client = await connect('', url);
  client.send({ type: 'create', requestId: 'c1', cols: 80, rows: 24 });
  await client.tells('session_created');
  await client.prints('s1', PROMPT);
  client.send({ type: 'input', sessionId: 's1', data: 'echo €\r' });
  await client.prints('s1', PROMPT);
  client.send({ type: 'resize', sessionId: 's1', cols: 0, rows: 24, requestId: 'r1' });
  await client.tells('error');
  client.send({ type: 'input', sessionId: 's1', data: 'exit 3\r' });
  await client.prints('s1', /exit 3\r\n$/);
  await client.tells('exit');
  client.send({ type: 'input', sessionId: 's1', data: 'x' });
  await client.tells('error');
  client.send({ type: 'close', sessionId: 's1' });
  client.send({ type: 'input', sessionId: 's1', data: 'x' });
  await client.tells('error');
  note('A client of one session names none; its first size brings it:');
  client.send({ type: 'resize', cols: 80, rows: 24 });
  await client.tells('session_created');
  await client.prints('s2', PROMPT);
  client.send({ type: 'close' });
  await client.tells('exit');
  await client.leave();
}

async function frames(url) {
  const a = await connect('A ', url, 'trex.v2');
  a.send({ type: 'hello' });
  const { resumeToken } = await a.tells('welcome');
  a.send({ type: 'create', requestId: 'c1', cols: 80, rows: 24 });
  await a.tells('session_created');
  await a.prints(1, PROMPT);
  a.send({ type: 'acknowledge', sessionId: 's1', offset: a.consumed(1) });
  let typed = a.type(1, 0, 'echo €\r');
  await a.tells('input_acknowledged');
  await a.prints(1, PROMPT);
  const shown = a.consumed(1);
  a.send({ type: 'acknowledge', sessionId: 's1', offset: shown });
  note('A second client looks on, from the third byte:');
  const b = await connect('B ', url, 'trex.v2');
  b.send({ type: 'hello' });
  await b.tells('welcome');
  b.send({ type: 'attach', requestId: 'a1', sessionId: 's1', from: 2, readOnly: true });
  await b.tells('attached');
  await b.prints(1, PROMPT);
  b.send({ type: 'acknowledge', sessions: [{ sessionId: 's1', offset: b.consumed(1) }] });
  b.type(1, 0, 'x');
  await b.tells('error');
  a.send({ type: 'resize', sessionId: 's1', cols: 100, rows: 30 });
  await b.tells('resized');
  note(
    'The network of A fails. What it types still arrives, as B sees; nothing comes back, and the connection is lost:',
  );
  a.hearNothing();
  typed = a.type(1, typed, 'echo more\r');
  await b.prints(1, PROMPT);
  b.send({ type: 'acknowledge', sessionId: 's1', offset: b.consumed(1) });
  await a.cut();
  note(
    'A comes back. It has shown 19 bytes and is told that all it typed has been accepted, so it types nothing again:',
  );
  const again = await connect('A ', url, 'trex.v2');
  again.send({ type: 'hello', resumeToken, sessions: [{ sessionId: 's1', from: shown }] });
  await again.tells('welcome');
  await again.tells('input_acknowledged');
  await again.prints(1, PROMPT);
  again.send({ type: 'acknowledge', sessionId: 's1', offset: again.consumed(1) });
  again.type(1, typed, 'exit 3\r');
  await again.tells('input_acknowledged');
  for (const client of [again, b]) {
    await client.prints(1, /exit 3\r\n$/);
    await client.tells('exit');
    client.send({ type: 'detach', sessionId: 's1' });
  }
  await b.leave();
  await again.leave();
}

async function connect(name, url, protocol) {
  const socket = new WebSocket(url, protocol);
  const messages = [];
  /** These come at their own time. */
  const acknowledged = [];
  /** Output not shown yet, by session or channel: where it begins, and its bytes. */
  const outputs = new Map();
  const ends = new Map();
  let wake = () => undefined;
  socket.on('upgrade', ({ statusCode, statusMessage, headers }) => {
    const chosen = headers['sec-websocket-protocol'];
    show(`${name}→ GET /ws`, protocol ? ` with Sec-WebSocket-Protocol: ${protocol}` : '');
    show(`${name}← ${statusCode} ${statusMessage}`, chosen ? ` with Sec-WebSocket-Protocol: ${chosen}` : '');
  });
  socket.on('message', (data, isBinary) => {
    const message = isBinary ? undefined : JSON.parse(data);
    if (isBinary) printed(data.readUInt32BE(4), Number(data.readBigUInt64BE(8)), data.subarray(HEADER_BYTES));
    else if (message.type === 'output') printed(message.sessionId, message.offset, Buffer.from(message.data));
    else queueOf(message.type).push(message);
    wake();
  });
  const printed = (from, offset, bytes) => {
    const before = outputs.get(from) ?? { offset, bytes: Buffer.alloc(0) };
    outputs.set(from, { ...before, bytes: Buffer.concat([before.bytes, bytes]) });
    ends.set(from, offset + bytes.length);
  };
  const queueOf = (type) => (type === 'input_acknowledged' ? acknowledged : messages);
  const news = () => new Promise((resolve) => (wake = resolve));
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  return {
    consumed: (from) => ends.get(from),
    send(message) {
      show(`${name}→ `, JSON.stringify(message));
      socket.send(JSON.stringify(message));
    },
    type(channel, offset, input) {
      const frame = framed('input', channel, offset, Buffer.from(input));
      showFrame(`${name}→ `, frame);
      socket.send(frame);
      return offset + frame.length - HEADER_BYTES;
    },
    /** Shows the next message, which is of this type. */
    async tells(type) {
      const queue = queueOf(type);
      while (queue.length === 0) await news();
      const message = queue.shift();
      show(`${name}← `, JSON.stringify(message));
      if (message.type !== type) throw new Error(`${type} was to come`);
      return message;
    },
    /** Shows what has been printed, once it ends as expected. */
    async prints(from, end) {
      while (!end.test(outputs.get(from)?.bytes ?? '')) await news();
      const { offset, bytes } = outputs.get(from);
      outputs.delete(from);
      const data = bytes.toString().replace(PROMPT, (all, prompt) => all.replace(prompt, '$ '));
      const shown = Buffer.from(data);
      if (shown.length !== bytes.length) throw new Error('this prompt is longer than others');
      if (protocol) showFrame(`${name}← `, framed('output', from, offset, shown));
      else {
        const message = { type: 'output', sessionId: from, data, offset, end: offset + shown.length };
        show(`${name}← `, JSON.stringify(message));
      }
    },
    hearNothing: () => socket.pause(),
    cut: () => new Promise((resolve) => socket.once('close', resolve).terminate()),
    leave: () => new Promise((resolve) => socket.once('close', resolve).close(1000)),
  };
}

function framed(kind, channel, offset, bytes) {
  const frame = Buffer.alloc(HEADER_BYTES + bytes.length);
  frame.writeUInt8(kinds[kind]);
  frame.writeUInt32BE(channel, 4);
  frame.writeBigUInt64BE(BigInt(offset), 8);
  bytes.copy(frame, HEADER_BYTES);
  return frame;
}

/** The header's fields, then the bytes, in hexadecimal; and what the bytes say. */
function showFrame(direction, frame) {
  const hex = [
    [0, 4],
    [4, 8],
    [8, 16],
    [16, frame.length],
  ].map(([from, to]) => frame.toString('hex', from, to).replaceAll(/..(?=.)/g, '$& '));
  show(direction, hex.join('  '));
  show(' '.repeat(direction.length), `  ${JSON.stringify(frame.toString('utf8', HEADER_BYTES))}`);
}

function show(direction, what) {
  lines.push(alike(`${direction}${what}`).replaceAll(SECRETS, '"$1":"…"'));
}

function note(sentence) {
  lines.push('```', '', sentence, '', '```');
}

/** Puts what has been shown into its place in the document. */
function keep(protocol) {
  const [begin, end] = [`<!-- exchange ${protocol} -->`, `<!-- end -->`];
  const from = text.indexOf(begin);
  if (from < 0) throw new Error(`${DOCUMENT} has no place for the exchange of ${protocol}`);
  const to = text.indexOf(end, from);
  text = `${text.slice(0, from)}${begin}\n\n${['```', ...lines, '```'].join('\n')}\n\n${text.slice(to)}`;
  lines = [];
}
