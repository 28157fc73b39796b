import { Module, type Type } from '@nestjs/common';
import { type NestExpressApplication } from '@nestjs/platform-express';
import { once } from 'node:events';
import { type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { promisify } from 'node:util';
import { createApp } from '../../src/app.js';
import { type Door, Statistics } from '../../src/core/statistics.js';
import { type AppConfig } from '../../src/config/app-config.js';
import { Clock } from '../../src/core/clock.js';
import { PtyFactory } from '../../src/core/pty.js';
import { FakeClock } from '../fakes/fake-clock.js';
import { FakePtyFactory } from '../fakes/fake-pty.js';
import { expectDescribed } from './openapi.js';
import { testConfig } from './test-sessions.js';
import { PATIENCE_MS } from './until.js';

/** Processes that tests play. */
@Module({
  providers: [{ provide: PtyFactory, useFactory: () => new FakePtyFactory() }],
  exports: [PtyFactory],
})
export class FakePtyModule {}

/** What came back over HTTP. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** The real application on a free port of the loopback. */
export class TestServer {
  private stopped?: Promise<void>;
  private readonly clocks: { readonly timers: number }[];

  private constructor(
    private readonly app: NestExpressApplication,
    readonly port: number,
  ) {
    this.clocks = [new CountedClock(app.get(Clock))];
  }

  /** With fake processes, unless given another module of them. */
  static async start(config: Partial<AppConfig> = {}, ptyModule: Type = FakePtyModule): Promise<TestServer> {
    const app = await createApp(testConfig(config), ptyModule);
    await app.listen(0, '127.0.0.1');
    const { port } = app.getHttpServer().address() as AddressInfo;
    return new TestServer(app, port);
  }

  get host(): string {
    return `127.0.0.1:${this.port}`;
  }

  get processes(): PtyFactory {
    return this.app.get(PtyFactory);
  }

  /** How often it has refused something there, by reason. */
  refusals(door: Door): Readonly<Record<string, number>> {
    const counted = this.app.get(Statistics).refusals[door].entries();
    return Object.fromEntries(counted.filter(([, count]) => count > 0));
  }

  /** The processes asked for, where they are fake. */
  get ptys(): FakePtyFactory {
    const { processes } = this;
    if (!(processes instanceof FakePtyFactory)) throw new Error('this server has real processes');
    return processes;
  }

  /** Makes time stand still for the sessions from now on: it passes when the test says so. */
  stopTheClock(): FakeClock {
    const fake = new FakeClock();
    this.clocks.push(fake);
    const clock = this.app.get(Clock);
    clock.now = () => fake.now();
    // It goes on from where it was: no clock goes back. In whole milliseconds, of which sums are exact.
    const elapsed = Math.ceil(clock.elapsed());
    clock.elapsed = () => elapsed + fake.elapsed();
    clock.after = (ms, task) => fake.after(ms, task);
    return fake;
  }

  /** How many timers its sessions have set. */
  get timers(): number {
    return this.clocks.reduce((sum, { timers }) => sum + timers, 0);
  }

  /** One request on a connection of its own, whose answer the API's description has to have. */
  async request(
    method: string,
    path: string,
    headers: Record<string, string> = {},
    body?: string | Buffer,
  ): Promise<Answer> {
    const sent = request({ host: '127.0.0.1', port: this.port, method, path, headers, agent: false });
    sent.end(body);
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    response.setEncoding('utf8');
    let answer = '';
    for await (const text of response) answer += text as string;
    const whole = { status: response.statusCode ?? 0, headers: response.headers, body: answer };
    expectDescribed(method, path, whole);
    return whole;
  }

  /** Sends what no client library would; gives what came back until the server hung up or switched protocols. */
  async raw(...pieces: readonly (string | Buffer)[]): Promise<Answer> {
    const socket = connect(this.port, '127.0.0.1');
    // A server that refuses early may reset what is still being sent: what has come until then is its answer.
    socket.on('error', () => undefined);
    socket.setTimeout(PATIENCE_MS, () => socket.destroy());
    for (const piece of pieces) socket.write(piece);
    let received = '';
    socket.setEncoding('latin1').on('data', (text) => {
      received += String(text);
      if (received.startsWith('HTTP/1.1 101 ') && received.includes('\r\n\r\n')) socket.destroy();
    });
    await once(socket, 'close');
    return parsed(received);
  }

  /** How many TCP connections the server holds. */
  connections(): Promise<number> {
    const server = this.app.getHttpServer();
    return promisify(server.getConnections.bind(server))();
  }

  /** As a signal stops it. Repeats share one stop. */
  stop(): Promise<void> {
    this.stopped ??= this.app.close();
    return this.stopped;
  }
}

/** Counts the timers that are set on a clock: among all of a process's, nobody can tell whose they are. */
class CountedClock {
  private readonly set = new Set<object>();

  constructor(clock: Clock) {
    const after = clock.after.bind(clock);
    clock.after = (ms, task) => {
      const timer = after(ms, () => {
        this.set.delete(timer);
        task();
      });
      this.set.add(timer);
      return {
        cancel: () => {
          this.set.delete(timer);
          timer.cancel();
        },
      };
    };
  }

  get timers(): number {
    return this.set.size;
  }
}

/** Asks for another name of a session; `body` as it is when it is text. */
export function rename(
  server: TestServer,
  sessionId: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const json = typeof body === 'string' ? body : JSON.stringify(body);
  return server.request(
    'PATCH',
    `/api/sessions/${sessionId}`,
    { 'Content-Type': 'application/json', ...headers },
    json,
  );
}

/** The sessions as REST lists them. */
export async function listed(server: TestServer): Promise<Record<string, unknown>[]> {
  const { body } = await server.request('GET', '/api/sessions');
  return JSON.parse(body) as Record<string, unknown>[];
}

function parsed(received: string): Answer {
  const [head = '', ...rest] = received.split('\r\n\r\n');
  const [statusLine = '', ...lines] = head.split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => [line.split(':')[0]!.toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  );
  const body = rest.join('\r\n\r\n');
  const isChunked = headers['transfer-encoding'] === 'chunked';
  return { status: Number(statusLine.split(' ')[1] ?? 0), headers, body: isChunked ? dechunked(body) : body };
}

/** RFC 9112, 7.1 */
function dechunked(body: string): string {
  const length = parseInt(body, 16);
  if (!length) return '';
  const start = body.indexOf('\r\n') + 2;
  return body.slice(start, start + length) + dechunked(body.slice(start + length + 2));
}
