import { EventEmitter } from 'node:events';
import { type IncomingMessage, ServerResponse } from 'node:http';
import { useFakeLogger } from '../../test/fakes/fake-logger.js';
import { testConfig } from '../../test/support/test-sessions.js';
import { type AppConfig } from '../config/app-config.js';
import { Statistics } from '../core/statistics.js';
import { newToken } from './access-token.js';
import { Gate } from './gate.js';
import { type PeerUser, PeerUsers } from './peer-user.js';

const OWN_USER = process.getuid?.() ?? 0;
const token = newToken();
const readOnlyToken = newToken();

/** Knows one user, and how often it was asked. */
class FakePeerUsers extends PeerUsers {
  asked = 0;

  constructor(private readonly user: PeerUser) {
    super();
  }

  override userOf(): Promise<PeerUser> {
    this.asked += 1;
    return Promise.resolve(this.user);
  }
}

type Headers = Record<string, string[]>;

/** A request for `path` over a connection from somewhere. */
function requestOf(
  headersDistinct: Headers,
  { method = 'GET', url = '/api/sessions', socket = socketFrom('127.0.0.1') } = {},
): IncomingMessage {
  const headers = Object.fromEntries(
    Object.entries(headersDistinct).map(([name, values]) => [name, values.join(', ')]),
  );
  return { headersDistinct, headers, method, url, socket } as unknown as IncomingMessage;
}

function socketFrom(remoteAddress: string): EventEmitter {
  return Object.assign(new EventEmitter(), {
    remoteAddress,
    remotePort: 1,
    localAddress: '::1',
    localPort: 2,
  });
}

const host = ['localhost:3000'];

describe('the gate', () => {
  const logger = useFakeLogger();

  function gateWith(config: Partial<AppConfig> = {}, users = new FakePeerUsers(OWN_USER)): Gate {
    return new Gate(testConfig(config), users);
  }

  /** The status with which it refuses; 0: it does not. */
  async function statusOf(gate: Gate, request: IncomingMessage, isUpgrade = false): Promise<number> {
    const decision = await gate.decide(request, isUpgrade);
    return 'status' in decision ? decision.status : 0;
  }

  it('says nothing of whom it lets in', async () => {
    expect(await statusOf(gateWith(), requestOf({ host }))).toBe(0);
    expect(logger().records).toEqual([]);
  });

  it('logs whom it refuses, and why', async () => {
    const origin = ['https://evil.example'];
    const decision = await gateWith().decide(requestOf({ host, origin }), false);
    expect(logger().records).toEqual([
      {
        level: 'warn',
        context: 'Gate',
        reason: 'ORIGIN_NOT_ALLOWED',
        host: 'localhost:3000',
        origin: 'https://evil.example',
        msg: (decision as { detail: string }).detail,
      },
    ]);
  });

  it('T13 · logs a line for each reason, however often it refuses for that', async () => {
    const gate = gateWith();
    for (let times = 0; times < 1000; times += 1) {
      await gate.decide(requestOf({ host: ['evil.example'] }), false);
      await gate.decide(requestOf({ host, origin: ['https://evil.example'] }, { url: '/ws' }), true);
    }
    expect(logger().records).toHaveLength(2);
  });

  it('repeats no more of a header than helps', async () => {
    const origin = ['o'.repeat(16_000)];
    await gateWith().decide(requestOf({ host: Array<string>(2000).fill('h'.repeat(10)), origin }), false);
    const [{ host: logged, origin: loggedOrigin } = {}] = logger().records;
    expect(logged).toHaveLength(100);
    expect(loggedOrigin).toHaveLength(100);
  });

  describe('T08 · and other users of this machine', () => {
    const onLinux = process.platform === 'linux' ? it : it.skip;

    onLinux.each([
      [OWN_USER, 0],
      [0, 0],
      [OWN_USER + 1, 403],
      [33, 0],
      ['unknown', 403],
      ['gone', 403],
    ] as const)('%p is answered with %p', async (user, status) => {
      const gate = gateWith({ allowedUids: [33] }, new FakePeerUsers(user));
      expect(await statusOf(gate, requestOf({ host }))).toBe(status);
      const upgrade = requestOf({ host }, { url: '/ws' });
      expect(await statusOf(gate, upgrade, true)).toBe(status);
    });

    onLinux('asks once for each connection', async () => {
      const users = new FakePeerUsers(OWN_USER);
      const gate = gateWith({}, users);
      const socket = socketFrom('127.0.0.1');
      for (let times = 0; times < 3; times += 1) await gate.decide(requestOf({ host }, { socket }), false);
      expect(users.asked).toBe(1);
      await gate.decide(requestOf({ host }), false);
      expect(users.asked).toBe(2);
    });

    onLinux('takes whoever is gone by then for nobody', async () => {
      const socket = Object.assign(socketFrom('127.0.0.1'), { destroyed: true });
      const upgrade = requestOf({ host }, { url: '/ws', socket });
      const gate = gateWith({ maxConnections: 1 });
      expect(await statusOf(gate, upgrade, true)).toBe(403);
      // And nothing counts that would never be over.
      expect(await statusOf(gate, requestOf({ host }, { url: '/ws' }), true)).toBe(0);
    });

    onLinux('needs not ask who has reset the connection', async () => {
      const users = new FakePeerUsers(OWN_USER);
      const socket = Object.assign(socketFrom('127.0.0.1'), { remoteAddress: undefined });
      const decision = await gateWith({}, users).decide(requestOf({ host }, { socket }), false);
      expect(decision).toMatchObject({ reason: 'CLIENT_GONE' });
      expect(users.asked).toBe(0);
    });

    onLinux.each<[PeerUser, boolean, string, string]>([
      [OWN_USER + 1, false, 'warn', 'USER_NOT_ALLOWED'],
      ['unknown', false, 'warn', 'USER_NOT_ALLOWED'],
      ['gone', false, 'debug', 'CLIENT_GONE'],
      // As it was found, and before anybody read that.
      [OWN_USER, true, 'debug', 'CLIENT_GONE'],
    ])(
      '%p, gone meanwhile: %p, is logged as %s and counted as %s',
      async (user, destroyed, level, reason) => {
        const statistics = new Statistics();
        const gate = new Gate(testConfig(), new FakePeerUsers(user), statistics);
        const socket = Object.assign(socketFrom('127.0.0.1'), { destroyed });
        await gate.decide(requestOf({ host }, { socket }), false);
        expect(logger().records).toEqual([expect.objectContaining({ level, reason })]);
        const { gate: counted } = statistics.refusals;
        expect([counted.of(reason), counted.all]).toEqual([1, 1]);
      },
    );

    it.each([
      ['with a token', { token }],
      ['where others can reach it', { isPublic: true, auth: 'none' as const }],
      ['where somebody said that none is needed', { auth: 'none' as const }],
    ])('%s does not ask', async (_when, config) => {
      const users = new FakePeerUsers('unknown');
      const headers = { host, authorization: [`Bearer ${token}`] };
      expect(await statusOf(gateWith(config, users), requestOf(headers))).toBe(0);
      expect(users.asked).toBe(0);
    });
  });

  describe('T12 · and tokens', () => {
    const config = { token, readOnlyToken };

    it.each<[string, Headers, number]>([
      ['nothing', {}, 401],
      ['a header', { authorization: [`Bearer ${token}`] }, 0],
      ['a header in other letters', { authorization: [`bearer   ${token}`] }, 0],
      ['one that only reads', { authorization: [`Bearer ${readOnlyToken}`] }, 0],
      ['another scheme', { authorization: [`Basic ${token}`] }, 401],
      [
        'another scheme beside a subprotocol',
        { authorization: ['Basic x'], 'sec-websocket-protocol': [`bearer.${token}`] },
        0,
      ],
      ['the bare token', { authorization: [token] }, 401],
      ['a subprotocol', { 'sec-websocket-protocol': [`trex.v2, bearer.${token}`] }, 0],
      ['a subprotocol of its own header', { 'sec-websocket-protocol': ['trex.v2', `bearer.${token}`] }, 0],
      ['a wrong subprotocol', { 'sec-websocket-protocol': [`trex.v2, bearer.${token}x`] }, 401],
      ['an empty one', { 'sec-websocket-protocol': ['bearer.'] }, 401],
      ['a cookie with the token itself', { cookie: [`trex-3000=${token}`] }, 401],
      ['two headers, of which the first is wrong', { authorization: ['Bearer x', `Bearer ${token}`] }, 401],
    ])('%s', async (_what, headers, status) => {
      expect(await statusOf(gateWith(config), requestOf({ host, ...headers }))).toBe(status);
    });

    it('takes none from the query', async () => {
      const url = `/api/sessions?token=${token}&access_token=${token}`;
      expect(await statusOf(gateWith(config), requestOf({ host }, { url }))).toBe(401);
    });

    it('gives a browser a cookie for one, by which it comes in', async () => {
      const gate = gateWith(config);
      for (const [shown, reads] of [
        [token, 0],
        [readOnlyToken, 403],
      ] as const) {
        const login = requestOf(
          { host, authorization: [`Bearer ${shown}`] },
          { method: 'POST', url: '/api/auth' },
        );
        expect(await statusOf(gate, login)).toBe(0);
        const cookie = gate.login(login)!.split(';', 1);
        const origin = ['http://localhost:3000'];
        const headers = { host, cookie, origin };
        expect(await statusOf(gate, requestOf(headers))).toBe(0);
        const close = requestOf(headers, { method: 'DELETE', url: '/api/sessions/s1' });
        expect(await statusOf(gate, close)).toBe(reads);
        // Cookies are sent to every port of a host.
        expect(await statusOf(gate, requestOf({ ...headers, host: ['localhost:4000'], origin: [] }))).toBe(
          401,
        );
      }
    });

    it('gives none where none is needed, or to whom it has not let in', async () => {
      const request = requestOf({ host }, { method: 'POST', url: '/api/auth' });
      const open = gateWith();
      await open.decide(request, false);
      expect(open.login(request)).toBeUndefined();
      const gate = gateWith(config);
      await gate.decide(request, false);
      expect(gate.login(request)).toBeUndefined();
    });

    it('T13 · makes who shows wrong ones wait, but not who shows the right one', async () => {
      const gate = gateWith(config);
      const wrong = (from: string): IncomingMessage =>
        requestOf({ host, authorization: ['Bearer wrong'] }, { socket: socketFrom(from) });
      const statuses: number[] = [];
      for (let times = 0; times < 11; times += 1) statuses.push(await statusOf(gate, wrong('10.0.0.1')));
      expect(statuses).toEqual([...Array<number>(10).fill(401), 429]);
      expect(await statusOf(gate, wrong('10.0.0.2'))).toBe(401);
      const right = requestOf(
        { host, authorization: [`Bearer ${token}`] },
        { socket: socketFrom('10.0.0.1') },
      );
      expect(await statusOf(gate, right)).toBe(0);
      expect(logger().records).toHaveLength(2);
      expect(JSON.stringify(logger().records)).not.toContain('wrong"');
    });
  });

  describe('T14 · behind a proxy', () => {
    const forwarded = { 'x-forwarded-for': ['203.0.113.9'], 'x-forwarded-proto': ['https'] };
    const origin = ['https://trex.example'];
    const allowedHosts = ['trex.example'];

    it('believes only one that it is told to', async () => {
      const request = (): IncomingMessage => requestOf({ host: ['trex.example'], origin, ...forwarded });
      const trusting = gateWith({ allowedHosts, trustedProxies: ['127.0.0.1'] });
      expect(await statusOf(trusting, request())).toBe(0);
      expect(await statusOf(gateWith({ allowedHosts }), request())).toBe(403);
    });

    it('believes none that says what the Host was', async () => {
      const headers = {
        host: ['evil.example'],
        'x-forwarded-host': ['localhost'],
        forwarded: ['host=localhost'],
      };
      const gate = gateWith({ trustedProxies: ['127.0.0.1'] });
      expect(await statusOf(gate, requestOf(headers))).toBe(403);
    });
  });

  it('T38 · counts WebSockets, in all and of each peer, until their sockets close', async () => {
    const gate = gateWith({ maxConnections: 3, maxConnectionsPerPeer: 2, isPublic: true });
    const open = async (socket: EventEmitter): Promise<number> =>
      statusOf(gate, requestOf({ host }, { url: '/ws', socket }), true);
    const [one, two, other] = [socketFrom('10.0.0.1'), socketFrom('10.0.0.1'), socketFrom('10.0.0.2')];
    expect([await open(one), await open(two), await open(socketFrom('10.0.0.1'))]).toEqual([0, 0, 503]);
    expect([await open(other), await open(socketFrom('10.0.0.3'))]).toEqual([0, 503]);
    one.emit('close');
    expect([await open(socketFrom('10.0.0.1')), await open(socketFrom('10.0.0.1'))]).toEqual([0, 503]);
  });

  it('T38 · lets no more WebSockets in that come while it asks who is there', async () => {
    const gate = gateWith({ maxConnections: 3 });
    const open = (): Promise<number> =>
      statusOf(gate, requestOf({ host }, { url: '/ws', socket: socketFrom('127.0.0.1') }), true);
    expect((await Promise.all(Array.from({ length: 10 }, open))).sort()).toEqual([
      ...Array<number>(3).fill(0),
      ...Array<number>(7).fill(503),
    ]);
  });

  describe('at the door of REST', () => {
    async function pass(gate: Gate, request: IncomingMessage): Promise<{ error: unknown; headers: object }> {
      const response = new ServerResponse(request);
      let passed: unknown = 'nothing';
      await gate.use(request, response, (error) => (passed = error));
      return { error: passed, headers: response.getHeaders() };
    }

    it('refuses with what the refusal says, and says that the connection ends', async () => {
      const { error, headers } = await pass(gateWith({ token }), requestOf({ host }));
      expect(error).toMatchObject({
        status: 401,
        message: expect.stringContaining('a token is needed') as string,
      });
      expect(headers).toEqual({ 'www-authenticate': 'Bearer realm="trex"', connection: 'close' });
    });

    it('T06 · invites pages of an origin that is allowed, and nobody else', async () => {
      const gate = gateWith({ allowedOrigins: ['https://ide.example'] });
      const origin = ['https://ide.example'];
      const invited = { vary: 'Origin', 'access-control-allow-origin': 'https://ide.example' };
      expect(await pass(gate, requestOf({ host, origin }))).toEqual({ error: undefined, headers: invited });
      const asking = { 'access-control-request-method': ['DELETE'] };
      expect(
        (await pass(gate, requestOf({ host, origin, ...asking }, { method: 'OPTIONS' }))).headers,
      ).toEqual({
        ...invited,
        'access-control-allow-methods': 'GET, POST, PATCH, DELETE',
        'access-control-allow-headers': 'Authorization, Content-Type',
      });
      expect((await pass(gate, requestOf({ host }))).headers).toEqual({ vary: 'Origin' });
      const refused = await pass(gateWith({ token, allowedOrigins: origin }), requestOf({ host, origin }));
      expect([refused.error, refused.headers]).toMatchObject([{ status: 401 }, invited]);
      const own = { host, origin: ['http://localhost:3000'] };
      expect((await pass(gate, requestOf(own))).headers).toEqual({ vary: 'Origin' });
      expect((await pass(gateWith(), requestOf(own))).headers).toEqual({});
    });
  });
});
