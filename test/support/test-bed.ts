import { type Type } from '@nestjs/common';
import { type AppConfig } from '../../src/config/app-config.js';
import { type FakePty, FakePtyFactory } from '../fakes/fake-pty.js';
import { expectClean, holdings, type Holdings } from './leaks.js';
import { TestClient } from './test-client.js';
import { FakePtyModule, TestServer } from './test-server.js';

/** What one test starts; all of it is stopped after the test, and looked for. */
export class TestBed {
  private readonly servers: TestServer[] = [];
  private readonly clients: TestClient[] = [];

  async serve(config?: Partial<AppConfig>, ptyModule: Type = FakePtyModule): Promise<TestServer> {
    const server = await TestServer.start(config, ptyModule);
    this.servers.push(server);
    return server;
  }

  async connect(...args: Parameters<typeof TestClient.connect>): Promise<TestClient> {
    const client = await TestClient.connect(...args);
    this.clients.push(client);
    return client;
  }

  /** A client of `trex.v2` that has been welcomed. */
  async greet(...args: Parameters<typeof TestClient.greeted>): Promise<TestClient> {
    const client = await TestClient.greeted(...args);
    this.clients.push(client);
    return client;
  }

  /** A client of its own server, with one session whose process runs. */
  async open(config?: Partial<AppConfig>): Promise<{
    server: TestServer;
    client: TestClient;
    sessionId: string;
    pty: FakePty;
  }> {
    const server = await this.serve(config);
    const client = await this.connect(server);
    const sessionId = await client.create();
    return { server, client, sessionId, pty: server.ptys.last };
  }

  async clear(): Promise<void> {
    await Promise.all(this.clients.splice(0).map((client) => client.terminate()));
    for (const server of this.servers.splice(0)) {
      if (server.processes instanceof FakePtyFactory) endAll(server.processes);
      await server.stop();
      expect({ timersStillSet: server.timers }).toEqual({ timersStillSet: 0 });
    }
  }
}

/** A bed for every test of the surrounding `describe`, which ends by checking that nothing is left. */
export function useTestBed(): TestBed {
  const bed = new TestBed();
  let baseline: Holdings;
  beforeEach(() => {
    baseline = holdings();
  });
  afterEach(async () => {
    await bed.clear();
    await expectClean(baseline);
  });
  return bed;
}

/** One server for all tests of the surrounding `describe`, for tables of refusals, which must leave it as it was. */
export function useOneServer(config?: Partial<AppConfig>): () => TestServer {
  const bed = new TestBed();
  let server: TestServer;
  let before: Holdings;
  let baseline: Holdings;
  beforeAll(async () => {
    before = holdings();
    server = await bed.serve(config);
  });
  beforeEach(() => {
    baseline = holdings();
  });
  afterEach(() => expectClean(baseline));
  afterAll(async () => {
    await bed.clear();
    await expectClean(before);
  });
  return () => server;
}

/** Also those that a test has made immortal. */
function endAll(ptys: FakePtyFactory): void {
  ptys.release();
  for (const pty of ptys.ptys) pty.end();
}
