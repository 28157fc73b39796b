/**
 * Runs in a session: prints lines that say where they belong, so many bytes a second, and digests all it is typed, until
 * that ends in a line `END`; then it prints what it has been typed and goes. Arguments: bytes per second.
 */
import { createHash } from 'node:crypto';
import { lineAt } from './lines.js';

const TICK_MS = 20;

const bytesPerSecond = Number(process.argv[2]);
const typed = createHash('sha256');
let typedBytes = 0;
let lastTyped = '';
let line = 0;
const begun = performance.now();

process.stdin.on('data', (bytes: Buffer) => {
  typed.update(bytes);
  typedBytes += bytes.length;
  lastTyped = (lastTyped + bytes.toString('latin1')).slice(-5);
  if (lastTyped !== '\nEND\n') return;
  clearInterval(talking);
  process.stdout.write(`TYPED ${typedBytes} ${typed.digest('hex')}\n`, () => process.exit());
});

let isFull = false;
process.stdout.on('drain', () => (isFull = false));
const talking = setInterval(() => {
  const due = ((performance.now() - begun) / 1000) * bytesPerSecond;
  let text = '';
  // A terminal that nobody reads is not to be filled up in memory instead: what is late then stays late.
  while (!isFull && line * lineAt(0).length < due && text.length < bytesPerSecond) text += lineAt(line++);
  if (text !== '') isFull = !process.stdout.write(text);
}, TICK_MS);
