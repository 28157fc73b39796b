import { type Program } from './program.js';
import { type TestBed } from './test-bed.js';
import { type TestClient } from './test-client.js';

/** Typed and printed in {@link makeLoad}: nobody is to find it in anything that is sent or logged. */
export const CANARY = 'CANARY-4711';

/** More than a log of the smallest size keeps. */
export const LOG_BYTES = 262_144;

/** A line of a scrape: name, labels and value. */
export const SAMPLE = /^([a-z_0-9]+)(?:\{(.*)\})? (\S+)$/gm;

interface Asking {
  readonly method?: string;
  readonly headers?: Record<string, string>;
}

export async function ask(
  program: Program,
  path: string,
  options: Asking = {},
): Promise<{ status: number; body: string }> {
  const response = await fetch(`http://127.0.0.1:${program.port}${path}`, options);
  return { status: response.status, body: await response.text() };
}

/**
 * The values of a scrape, by name, all of one name added up, and by name with labels; of a histogram, how many were
 * recorded.
 */
export async function scrape(program: Program): Promise<Map<string, number>> {
  const { status, body } = await ask(program, '/metrics');
  expect(status).toBe(200);
  const values = new Map<string, number>();
  for (const [, name, labels, value] of body.matchAll(SAMPLE)) {
    values.set(name!, (values.get(name!) ?? 0) + Number(value));
    if (labels !== undefined) values.set(`${name!}{${labels.split(',').sort().join(',')}}`, Number(value));
  }
  return values;
}

/** Makes everything that is measured happen once. */
export async function makeLoad(bed: TestBed, program: Program): Promise<void> {
  const owner = await bed.connect(program);
  const failed = await owner.create({ cols: 80, rows: 24, cwd: '/nowhere/at/all' });
  await owner.next({ type: 'exit', sessionId: failed });
  owner.send({ type: 'nonsense' });
  await owner.next({ type: 'error', reason: 'UNKNOWN_TYPE' });
  expect((await ask(program, '/api/sessions/s99')).status).toBe(404);
  expect((await ask(program, '/api/sessions', { headers: { origin: 'http://evil.example' } })).status).toBe(
    403,
  );

  const short = await owner.create({ cols: 80, rows: 24 });
  owner.send({ type: 'input', sessionId: short, data: 'exit\r' });
  await owner.next({ type: 'exit', sessionId: short, cause: 'ended' });

  const sessionId = await owner.create({ cols: 80, rows: 24 });
  owner.send({ type: 'input', sessionId, data: `echo $((6*7)) ${CANARY}\r` });
  await owner.untilOutput(sessionId, '42 ');
  // More than is kept: whoever wants it from its beginning on is told of a gap.
  owner.send({
    type: 'input',
    sessionId,
    data: `head -c ${2 * LOG_BYTES} /dev/zero | tr '\\0' x; echo do""ne\r`,
  });
  await owner.untilOutput(sessionId, 'done');
  const late = await bed.connect(program);
  late.send({ type: 'attach', sessionId, from: 0 });
  await late.next({ type: 'attached', sessionId });
  await late.close();

  // A program that does not read, and a viewer that does not either.
  owner.send({ type: 'input', sessionId, data: 'stty raw -echo; echo wai""ting; sleep 60\r' });
  await owner.untilOutput(sessionId, 'waiting');
  owner.send({ type: 'input', sessionId, data: 'x'.repeat(100_000) });
  const { client, token } = await greeted(bed, program);
  const flooding = await client.create({ cols: 80, rows: 24 });
  client.type(1, 0, 'yes\r');
  await untilScraped(program, 'trex_session_paused');
  await client.terminate();
  await greeted(bed, program, token);
  await greeted(bed, program, 'unknown');
  expect((await ask(program, `/api/sessions/${flooding}`, { method: 'DELETE' })).status).toBe(204);
}

export async function greeted(
  bed: TestBed,
  program: Program,
  resumeToken?: string,
): Promise<{ client: TestClient; token: string }> {
  const client = await bed.connect(program, { protocols: ['trex.v2'] });
  client.send({ type: 'hello', ...(resumeToken !== undefined && { resumeToken }) });
  const { resumeToken: token } = await client.next({ type: 'welcome' });
  return { client, token: String(token) };
}

export async function untilScraped(program: Program, name: string): Promise<void> {
  let value = 0;
  while (value === 0) value = (await scrape(program)).get(name) ?? 0;
}
