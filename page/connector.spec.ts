import { TerminalClient } from '../client/terminal-client.js';
import { FakeClock } from '../test/fakes/fake-clock.js';
import { FakeWebSocket } from '../test/fakes/fake-web-socket.js';
import { welcome } from '../test/support/connected-client.js';
import { Refused } from './api.js';
import { Connector, type Link } from './connector.js';

class FakeEntrance {
  /** What is in the way. */
  refusal?: Error;
  asked = 0;

  pass(): Promise<void> {
    this.asked++;
    return this.refusal ? Promise.reject(this.refusal) : Promise.resolve();
  }

  logOut(): Promise<void> {
    return this.refusal ? Promise.reject(this.refusal) : Promise.resolve();
  }
}

const UNAUTHORIZED = new Refused(401, 'UNAUTHORIZED', 'a token is needed');
const NO_NETWORK = new TypeError('Failed to fetch');

class Scene {
  readonly entrance = new FakeEntrance();
  readonly clock = new FakeClock();
  readonly sockets: FakeWebSocket[] = [];
  readonly links: Link[] = [];
  arrivals = 0;
  readonly connector = new Connector(
    this.entrance,
    (parts) =>
      new TerminalClient({
        ...parts,
        random: () => 0.5,
        open: () => {
          const socket = new FakeWebSocket();
          this.sockets.push(socket);
          return socket;
        },
      }),
    { link: (link) => this.links.push(link), arrived: () => this.arrivals++ },
    this.clock,
  );

  get states(): string[] {
    return this.links.map(({ is }) => is);
  }

  get socket(): FakeWebSocket {
    return this.sockets.at(-1)!;
  }

  /** Promises that are kept have been looked at. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  }

  async open(more: Partial<typeof welcome> = {}): Promise<void> {
    this.socket.open();
    this.socket.answer('hello', { ...welcome, ...more });
    await this.settle();
  }

  async connect(): Promise<void> {
    void this.connector.start();
    await this.settle();
    await this.open();
  }
}

describe('the page’s connection', () => {
  it('is opened', async () => {
    const scene = new Scene();
    await scene.connect();
    expect(scene.links.at(-1)).toEqual({ is: 'open', isReadOnly: false });
    expect(scene.arrivals).toBe(1);
  });

  it('says when its token only reads', async () => {
    const scene = new Scene();
    void scene.connector.start();
    await scene.settle();
    await scene.open({ readOnly: true });
    expect(scene.links.at(-1)).toEqual({ is: 'open', isReadOnly: true });
  });

  it('is tried for the first time until it works', async () => {
    const scene = new Scene();
    scene.entrance.refusal = NO_NETWORK;
    void scene.connector.start();
    await scene.settle();
    expect(scene.links.at(-1)).toMatchObject({ is: 'waiting', wasOpen: false });
    scene.entrance.refusal = undefined;
    scene.clock.advance(10_000);
    await scene.settle();
    scene.socket.drop();
    await scene.settle();
    expect(scene.links.at(-1)).toMatchObject({ is: 'waiting', wasOpen: false });
    scene.clock.advance(10_000);
    await scene.settle();
    await scene.open();
    expect(scene.links.at(-1)?.is).toBe('open');
    expect(scene.sockets).toHaveLength(2);
  });

  it('waits for who has to log in, and goes on then', async () => {
    const scene = new Scene();
    scene.entrance.refusal = UNAUTHORIZED;
    void scene.connector.start();
    await scene.settle();
    expect(scene.links.at(-1)).toEqual({ is: 'loggedOut', isOwnDoing: false });
    expect(scene.sockets).toHaveLength(0);
    expect(scene.clock.timers).toBe(0);
    scene.entrance.refusal = undefined;
    await scene.connect();
    expect(scene.links.at(-1)?.is).toBe('open');
  });

  it('says what is in the way, and tries again when asked to', async () => {
    const scene = new Scene();
    scene.entrance.refusal = new Refused(403, 'FORBIDDEN', 'not from here');
    void scene.connector.start();
    await scene.settle();
    expect(scene.links.at(-1)).toEqual({ is: 'refused', detail: 'not from here' });
    scene.entrance.refusal = undefined;
    scene.connector.now();
    await scene.settle();
    await scene.open();
    expect(scene.links.at(-1)?.is).toBe('open');
  });

  it('comes back by itself, and says when', async () => {
    const scene = new Scene();
    await scene.connect();
    const before = Date.now();
    scene.socket.drop();
    const link = scene.links.at(-1);
    expect(link).toMatchObject({ is: 'waiting', wasOpen: true });
    if (link?.is === 'waiting') expect(link.untilMs - before).toBeGreaterThanOrEqual(50);
    scene.clock.advance(50);
    await scene.open();
    expect(scene.states.slice(-3)).toEqual(['waiting', 'connecting', 'open']);
  });

  it('comes back at once when asked to', async () => {
    const scene = new Scene();
    await scene.connect();
    scene.socket.drop();
    scene.connector.now();
    await scene.open();
    expect(scene.links.at(-1)?.is).toBe('open');
  });

  it('asks for the login when it keeps failing for want of one', async () => {
    const scene = new Scene();
    await scene.connect();
    scene.entrance.refusal = UNAUTHORIZED;
    scene.socket.drop();
    await scene.settle();
    expect(scene.links.at(-1)?.is).toBe('waiting');
    scene.clock.advance(10_000);
    scene.socket.drop();
    await scene.settle();
    expect(scene.links.at(-1)).toEqual({ is: 'loggedOut', isOwnDoing: false });
    expect(scene.clock.timers).toBe(0);
    scene.entrance.refusal = undefined;
    await scene.connect();
    expect(scene.links.at(-1)?.is).toBe('open');
  });

  it('keeps trying while nobody answers', async () => {
    const scene = new Scene();
    await scene.connect();
    scene.entrance.refusal = NO_NETWORK;
    for (let tries = 0; tries < 5; tries++) {
      scene.socket.drop();
      await scene.settle();
      expect(scene.links.at(-1)?.is).toBe('waiting');
      scene.clock.advance(10_000);
    }
    expect(scene.entrance.asked).toBe(5);
  });

  it('says when REST answers, and the WebSocket does not', async () => {
    const scene = new Scene();
    void scene.connector.start();
    await scene.settle();
    expect(scene.links.at(-1)).toEqual({ is: 'connecting', isAgain: false });
    scene.socket.drop();
    await scene.settle();
    expect(scene.links.at(-1)).toMatchObject({ is: 'waiting', wasOpen: false, onlyRest: true });
    scene.entrance.refusal = NO_NETWORK;
    scene.clock.advance(10_000);
    await scene.settle();
    expect(scene.links.at(-1)).not.toHaveProperty('onlyRest');
    scene.entrance.refusal = undefined;
    scene.clock.advance(10_000);
    await scene.settle();
    await scene.open();

    for (let tries = 0; tries < 2; tries++) {
      scene.socket.drop();
      await scene.settle();
      expect((scene.links.at(-1) as { onlyRest?: boolean }).onlyRest ?? false).toBe(tries === 1);
      scene.clock.advance(10_000);
    }
    expect(scene.links.at(-1)).toEqual({ is: 'connecting', isAgain: true, onlyRest: true });
    await scene.open();
    scene.socket.drop();
    expect(scene.links.at(-1)).not.toHaveProperty('onlyRest');
  });

  it('stays away when another page goes on in its place', async () => {
    const scene = new Scene();
    await scene.connect();
    scene.socket.drop(4001, 'taken over');
    await scene.settle();
    expect(scene.links.at(-1)).toEqual({ is: 'elsewhere' });
    scene.connector.now();
    expect(scene.sockets).toHaveLength(1);
  });

  it('is closed for good where coming back would end alike', async () => {
    const scene = new Scene();
    await scene.connect();
    scene.socket.drop(1008, 'too many messages');
    await scene.settle();
    expect(scene.links.at(-1)).toEqual({ is: 'closed', detail: 'too many messages (1008)' });
  });

  it('ends when its user logs out', async () => {
    const scene = new Scene();
    await scene.connect();
    await scene.connector.logOut();
    expect(scene.links.at(-1)).toEqual({ is: 'loggedOut', isOwnDoing: true });
    expect(scene.socket.closed?.code).toBe(1000);
  });

  it('goes on when logging out did not work', async () => {
    const scene = new Scene();
    await scene.connect();
    scene.entrance.refusal = NO_NETWORK;
    await expect(scene.connector.logOut()).rejects.toBe(NO_NETWORK);
    expect(scene.links.at(-1)?.is).toBe('open');
  });
});
