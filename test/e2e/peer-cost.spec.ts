import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { type AddressInfo } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { useTestBed } from '../support/test-bed.js';
import { type TestServer } from '../support/test-server.js';

const bed = useTestBed();

/** Each is two rows in the kernel's table. */
const OTHER_CONNECTIONS = 1000;
const PER_SECOND = 200;
const SECONDS = 3;
const EVERY_MS = 20;

describe('T08b · looking up who connects', () => {
  it('keeps nobody waiting: 200 connections a second, among 2,000 others of the machine', async () => {
    const [unasked, asked] = [await bed.serve({ auth: 'none' }), await bed.serve()];
    const others = await manyConnections();
    try {
      const control = await delayDuring(unasked);
      const delay = await delayDuring(asked);
      expect(delay).toBeLessThan(Math.max(50, 3 * control));
    } finally {
      await others.close();
    }
  });
});

/** How late the event loop is, in ms, 99 times of 100, while a server is asked as often as it is to bear. */
async function delayDuring(server: TestServer): Promise<number> {
  const answers: Promise<number>[] = [];
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  for (let turn = 0; turn < (SECONDS * 1000) / EVERY_MS; turn += 1) {
    for (let n = 0; n < (PER_SECOND * EVERY_MS) / 1000; n += 1) {
      answers.push(server.request('GET', '/api/sessions').then(({ status }) => status));
    }
    await new Promise((next) => setTimeout(next, EVERY_MS));
  }
  expect(new Set(await Promise.all(answers))).toEqual(new Set([200]));
  delay.disable();
  return delay.percentile(99) / 1e6;
}

async function manyConnections(): Promise<{ close(): Promise<void> }> {
  const accepted: Socket[] = [];
  const server = createServer((socket) => accepted.push(socket)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const opened: Socket[] = [];
  for (let n = 0; n < OTHER_CONNECTIONS; n += 1) {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    opened.push(socket);
  }
  return {
    close: async () => {
      for (const socket of [...opened, ...accepted]) socket.resetAndDestroy();
      server.close();
      await once(server, 'close');
    },
  };
}
