import { VERSION } from '../../src/config/version.js';
import { checkerOf, type MediaType, openApi, type Operation, responseOf } from '../support/openapi.js';
import { useTestBed } from '../support/test-bed.js';
import { type Answer, rename, type TestServer } from '../support/test-server.js';
import { until } from '../support/until.js';

interface Described extends Operation {
  readonly method: string;
  /** Of the session `s1`, where it is a session’s. */
  readonly path: string;
}

const operations = Object.entries(openApi().paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]): Described => ({
    ...operation,
    method: method.toUpperCase(),
    path: path.replace('{id}', 's1'),
  })),
);

function examplesOf({ example, examples = {} }: MediaType): unknown[] {
  const all = Object.values(examples).map(({ value }) => value);
  return example === undefined ? all : [example, ...all];
}

/** What an operation may be answered, by status and type. */
function contentsOf(operation: Operation): [what: string, MediaType][] {
  return Object.keys(operation.responses).flatMap((status) =>
    Object.entries(responseOf(operation, status)?.content ?? {}).map(
      ([type, content]): [string, MediaType] => [`${status} ${type}`, content],
    ),
  );
}

describe('openapi.json', () => {
  it('is of this version', () => {
    expect(openApi().info.version).toBe(VERSION);
  });

  it.each(operations)('$operationId: has an example for each body, as its schema says', (operation) => {
    const bodies = Object.entries(operation.requestBody?.content ?? {});
    for (const [what, content] of [...bodies, ...contentsOf(operation)]) {
      const check = checkerOf(content.schema);
      expect({ what, examples: examplesOf(content) }).not.toEqual({ what, examples: [] });
      for (const example of examplesOf(content)) {
        check(example);
        expect({ what, example, errors: check.errors }).toEqual({ what, example, errors: null });
      }
    }
  });
});

describe('its operations', () => {
  const bed = useTestBed();

  /** With the session `s1`, whose process cannot be ended where it is asked for. */
  async function serve(config = {}, isImmortal = false): Promise<TestServer> {
    const { server, pty } = await bed.open(config);
    pty.diesWhenClosed = !isImmortal;
    return server;
  }

  it.each(operations)('$operationId: takes what its examples send', async (operation) => {
    const { method, path, requestBody } = operation;
    const server = await serve();
    const bodies = Object.entries(requestBody?.content ?? {}).flatMap(([type, content]) =>
      examplesOf(content).map((example) => [type, JSON.stringify(example)] as const),
    );
    for (const [type, body] of bodies) {
      expect((await server.request(method, path, { 'Content-Type': type }, body)).status).toBe(200);
    }
    if (bodies.length === 0) expect((await server.request(method, path)).status).toBeLessThan(300);
  });

  const token = 'a'.repeat(43);

  async function wrongTokens(server: TestServer, { method, path }: Described): Promise<Answer> {
    const shown = { Authorization: 'Bearer wrong' };
    for (let count = 0; count < 10; count++) await server.request(method, path, shown);
    return server.request(method, path, shown);
  }

  /** How each problem comes about; what any request may be answered, of whichever path, is tried in rest.spec.ts. */
  const causes: Record<string, (operation: Described) => Promise<Answer>> = {
    BAD_REQUEST: async ({ method, path }) => (await serve()).request(method, `${path}?${'x'.repeat(2048)}`),
    FORBIDDEN: async ({ method, path }) =>
      (await serve()).request(method, path, { Origin: 'http://evil.example' }),
    UNAUTHORIZED: async ({ method, path }) => (await bed.serve({ token })).request(method, path),
    TOO_MANY_REQUESTS: async (operation) => wrongTokens(await bed.serve({ token }), operation),
    SESSION_NOT_FOUND: async ({ method }) => {
      const server = await bed.serve();
      if (method === 'PATCH') return rename(server, 's99', { name: 'tests' });
      return server.request(method, '/api/sessions/s99');
    },
    INVALID_NAME: async () => rename(await serve(), 's1', { name: '' }),
    PAYLOAD_TOO_LARGE: async () => rename(await serve(), 's1', { name: 'x'.repeat(4096) }),
    UNSUPPORTED_MEDIA_TYPE: async () => rename(await serve(), 's1', {}, { 'Content-Type': 'text/plain' }),
    SERVICE_UNAVAILABLE: async ({ method, path }) => (await serve({ maxSessions: 1 })).request(method, path),
    CLOSE_TIMEOUT: async ({ method, path }) => {
      const server = await serve({}, true);
      const clock = server.stopTheClock();
      const answer = server.request(method, path);
      await until(() => server.ptys.last.closing, 'the process is asked to go');
      clock.advance(5000);
      return answer;
    },
  };

  const ofAny = ['REQUEST_TIMEOUT', 'REQUEST_HEADER_FIELDS_TOO_LARGE', 'INTERNAL'];

  it.each(operations)('$operationId: is answered with every problem that is described', async (operation) => {
    const described = contentsOf(operation).flatMap(([, content]) =>
      examplesOf(content).filter((example): example is { code: string; status: number } =>
        Object.hasOwn(example as object, 'code'),
      ),
    );
    for (const { code, status } of described) {
      if (ofAny.includes(code)) continue;
      const answer = await causes[code]!(operation);
      expect({ status: answer.status, ...(JSON.parse(answer.body) as object) }).toMatchObject({
        status,
        code,
      });
    }
  });
});
