/**
 * Runs in a session: prints lines that say where they belong, so many bytes a second, and digests all it is typed, until
 * that ends in a line `END`; then it prints what it has been typed and goes. A line `?key` it answers at once, with a line of
 * its own. Arguments: bytes per second, and after how many bytes it has nothing more to say.
 */
import { createHash } from 'node:crypto';
import { echoAt, lineAt, linesAt } from './lines.js';

const TICK_MS = 40;
const LINE_BYTES = lineAt(0).length;
/** What is written at once at most: as long as that takes, nothing is read. */
const MOST_AT_ONCE_BYTES = 1024 * 1024;
/** Whoever is late makes up for it so many times as fast. */
const HURRY = 4;

const [bytesPerSecond = 0, mostBytes = Infinity] = process.argv.slice(2).map(Number);
const typed = createHash('sha256');
let typedBytes = 0;
/** The line that is being typed, or the end of it. */
let lastLine = '';
let line = 0;
const begun = performance.now();

process.stdin.on('data', (bytes: Buffer) => {
  typed.update(bytes);
  typedBytes += bytes.length;
  const lines = (lastLine + bytes.toString('latin1')).split('\n');
  lastLine = (lines.pop() ?? '').slice(-16);
  for (const one of lines) {
    if (one.startsWith('?')) process.stdout.write(echoAt(line++, one.slice(1)));
    if (one === 'END') end();
  }
});

function end(): void {
  clearInterval(talking);
  process.stdout.write(`TYPED ${typedBytes} ${typed.digest('hex')}\n`, () => process.exit());
}

let isFull = false;
process.stdout.on('drain', () => {
  isFull = false;
  if (bytesPerSecond === Infinity) talk();
});
const talking = setInterval(talk, TICK_MS);

function talk(): void {
  const due = Math.min(mostBytes, ((performance.now() - begun) / 1000) * bytesPerSecond);
  const most = Math.min((HURRY * bytesPerSecond * TICK_MS) / 1000, MOST_AT_ONCE_BYTES);
  const count = Math.ceil(Math.min(due - line * LINE_BYTES, most) / LINE_BYTES);
  // A terminal that nobody reads is not to be filled up in memory instead: what is late then stays late.
  if (isFull || count <= 0) return;
  isFull = !process.stdout.write(linesAt(line, count));
  line += count;
}
