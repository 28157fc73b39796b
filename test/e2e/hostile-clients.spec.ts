import { once } from 'node:events';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { floodWithPings } from '../support/ping-flood.js';
import { useProgram } from '../support/program.js';
import { useTestBed } from '../support/test-bed.js';
import { type TestClient } from '../support/test-client.js';
import { until } from '../support/until.js';
import { watchMemory } from '../support/watch-memory.js';

/** Before the bed: it is looked for leaks only when the programs have ended. */
const start = useProgram();
const bed = useTestBed();

jest.setTimeout(60_000);

const MIB = 1024 * 1024;

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'trex-hostile-'))));
afterEach(() => rmSync(folder, { recursive: true }));

/** A session that runs a script of sh instead of a shell; ready once the script has printed that. */
async function runScript(client: TestClient, script: string): Promise<string> {
  const sessionId = await client.create();
  client.send({ type: 'input', sessionId, data: `exec sh -c 'stty raw -echo; echo re""ady; ${script}'\r` });
  await client.untilOutput(sessionId, 'ready\n');
  return sessionId;
}

describe('T31: the library below', () => {
  it('is the one that answers pings no more whose answers nobody takes, and the only one', async () => {
    const hook = join(folder, 'hook.cjs');
    writeFileSync(
      hook,
      `const { queryObjects } = require('node:v8');
       const { resolve } = require('node:path');
       process.once('SIGUSR2', () => {
         const copies = Object.values(require.cache)
           .filter(({ filename }) => /\\/ws\\/lib\\/websocket-server\\.js$/.test(filename))
           .map(({ filename, exports }) => ({
             version: require(resolve(filename, '../../package.json')).version,
             servers: queryObjects(exports, { format: 'count' }),
           }));
         process.stderr.write(JSON.stringify(copies) + '\\n');
       });`,
    );
    const program = await start([], { NODE_OPTIONS: `--no-warnings --require=${hook}` }).listening();
    const client = await bed.connect(program);

    program.signal('SIGUSR2');
    await until(() => program.stderr.endsWith('\n'), 'it has told what it runs');

    const copies = JSON.parse(program.stderr) as { version: string; servers: number }[];
    expect(copies).toEqual([{ version: expect.any(String) as string, servers: 1 }]);
    const [major = 0, minor = 0] = copies[0]!.version.split('.').map(Number);
    expect(major > 8 || (major === 8 && minor >= 23)).toBe(true);
    await client.sync();
  });
});

describe('T31: a client that pings and never reads', () => {
  it('is hung up on before its answers fill the memory', async () => {
    const program = await start().listening();
    const client = await bed.connect(program);
    await client.sync();
    const memory = watchMemory(program.pid);

    await floodWithPings(program.port);

    // Most of it is what V8 has not collected yet; 64 MiB of pings whose answers are kept take far more.
    expect(memory.grownBytes()).toBeLessThan(48 * MIB);
    await client.sync();
  });
});

describe('T35: a client that types at a program which does not read', () => {
  it('fills no more than its queue, is told so, and goes on once the program reads', async () => {
    const program = await start().listening();
    const client = await bed.connect(program);
    const go = join(folder, 'go');
    const sessionId = await runScript(
      client,
      `until [ -e ${go} ]; do sleep 0.05; done; echo "<$(head -c $(cat ${go}) | wc -c)>"; exec cat`,
    );
    const data = 'x'.repeat(MIB);
    let typed = 0;
    /** @returns how many of so many messages are refused; no answer says that a message is taken. */
    const refusals = async (count: number): Promise<number> => {
      for (let n = 0; n < count; n++) client.send({ type: 'input', sessionId, requestId: 'r', data });
      await client.sync();
      const refused = client.messages.filter(({ requestId }) => requestId === 'r').slice(typed);
      for (const one of refused) expect(one).toMatchObject({ sessionId, reason: 'INPUT_QUEUE_FULL' });
      typed += refused.length;
      return refused.length;
    };

    // Four are what may wait.
    expect(await refusals(200)).toBe(196);
    // By now it has grown by what it takes to read messages of that size, and to collect them: V8 of Node 24 takes its time.
    const memory = watchMemory(program.pid);
    expect(await refusals(400)).toBe(400);
    expect(memory.grownBytes()).toBeLessThan(128 * MIB);

    writeFileSync(`${go}.new`, String(4 * MIB));
    renameSync(`${go}.new`, go);
    await client.untilOutput(sessionId, `<${4 * MIB}>`);
    client.send({ type: 'input', sessionId, data: 'and on' });
    await client.untilOutput(sessionId, 'and on');
  });
});

describe('T36: a client that does not read', () => {
  it('costs the server little and others nothing, and misses nothing once it does', async () => {
    const program = await start().listening();
    const [client, other] = [await bed.connect(program), await bed.connect(program)];
    const echoing = await runScript(other, 'exec cat');
    const sessionId = await client.create();
    client.send({ type: 'input', sessionId, data: 'yes\r' });
    const received = (): number => client.of(sessionId, 'output').at(-1)?.end ?? 0;
    await until(() => received() > 4 * MIB, 'it floods');
    client.socket.pause();
    const memory = watchMemory(program.pid);

    const tookMs: number[] = [];
    for (let key = 0; key < 1000; key++) {
      const began = performance.now();
      other.send({ type: 'input', sessionId: echoing, data: '.' });
      await other.next({ type: 'output', sessionId: echoing });
      tookMs.push(performance.now() - began);
    }
    tookMs.sort((a, b) => a - b);
    expect(tookMs.at(-10)).toBeLessThan(100);
    expect(memory.grownBytes()).toBeLessThan(16 * MIB);

    const before = received();
    client.socket.resume();
    await until(() => received() > before + 16 * MIB, 'it floods again');
    const output = client.of(sessionId).filter(({ type }) => type !== 'session_created');
    let offset = 0;
    for (const message of output) {
      expect(message).toMatchObject({ type: 'output', offset });
      offset = message.end!;
    }
  });
});

describe('T43: a server that stands still', () => {
  it.each([1500, 5000])('for %i ms gives up no client whose answers it could not read', async (ms) => {
    const hook = join(folder, 'hook.cjs');
    writeFileSync(
      hook,
      `process.on('SIGUSR2', () => {
         require('node:fs').writeSync(2, 'standing still');
         Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ${ms});
       });`,
    );
    const env = { NODE_OPTIONS: `--require=${hook}`, TREX_PING_SECONDS: '1', TREX_DEAD_SECONDS: '2' };
    const program = await start([], env).listening();
    const client = await bed.connect(program, { protocols: ['trex.v2'], autoPong: false });
    client.send({ type: 'hello' });
    await client.next({ type: 'welcome' });

    await once(client.socket, 'ping');
    program.signal('SIGUSR2');
    await until(() => program.stderr === 'standing still', 'it stands still');
    client.socket.on('ping', () => client.socket.pong());
    client.socket.pong();

    for (let pings = 0; pings < 4; pings++)
      await Promise.race([once(client.socket, 'ping'), client.closed()]);
    expect(client.closing).toBeUndefined();
    await client.sync();
  });
});
