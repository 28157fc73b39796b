import { type OpenAPIObject } from '@nestjs/swagger';
import { STATUS_CODES } from 'node:http';
import { LOGIN_PATH, OPEN_PATHS } from './admission/doors.js';
import { type Problem, problem, PROBLEM_MEDIA_TYPE } from './protocol/problem.js';

type Components = Required<NonNullable<OpenAPIObject['components']>>;
type Schema = Components['schemas'][string];
type Response = Exclude<Components['responses'][string], { $ref: string }>;
type Operation = NonNullable<OpenAPIObject['paths'][string]['get']>;

interface ProblemKind {
  readonly status: number;
  readonly description: string;
  /** The sentence of the example. */
  readonly detail: string;
  readonly headers?: Response['headers'];
}

/** Every code that is answered over HTTP: whoever adds one says here what it means. */
const kinds = {
  BAD_REQUEST: {
    status: 400,
    description: 'The path, the body or the request itself cannot be read as what it should be.',
    detail: 'the body must be a JSON object',
  },
  INVALID_NAME: {
    status: 400,
    description: 'There is no name, or none that can be shown.',
    detail: 'name must be a string',
  },
  UNAUTHORIZED: {
    status: 401,
    description: 'A token is needed, and none or a wrong one was shown.',
    detail: 'refused: a token is needed, as `Authorization: Bearer` or in the subprotocol `bearer.TOKEN`',
    headers: {
      'WWW-Authenticate': {
        description: 'Which scheme shows one.',
        required: true,
        schema: { type: 'string' },
        example: 'Bearer realm="trex"',
      },
    },
  },
  FORBIDDEN: {
    status: 403,
    description:
      'The request came from a page, under a host name or from a user that may not use this server; or its token only reads; ' +
      'or it has a cookie and no `Origin`, and is not there to read.',
    detail: 'refused: this token only reads',
  },
  NOT_FOUND: {
    status: 404,
    description: 'There is nothing at this path.',
    detail: 'Cannot GET /api/nothing',
  },
  SESSION_NOT_FOUND: {
    status: 404,
    description: 'There is no such session.',
    detail: 'session not found',
  },
  METHOD_NOT_ALLOWED: {
    status: 405,
    description: 'What is at this path has no such method; `Allow` says which it has.',
    detail: 'PUT is not allowed here',
  },
  REQUEST_TIMEOUT: {
    status: 408,
    description: 'The request did not come to its end in time.',
    detail: 'the request did not come to its end in time',
  },
  PAYLOAD_TOO_LARGE: {
    status: 413,
    description: 'The body is larger than 4 kB.',
    detail: 'the body may have 4096 bytes at most',
  },
  UNSUPPORTED_MEDIA_TYPE: {
    status: 415,
    description: 'The body is not `application/json` in UTF-8.',
    detail: 'the body must be application/json',
  },
  UPGRADE_REQUIRED: {
    status: 426,
    description: 'This is the address of the WebSocket.',
    detail: '/ws is a WebSocket: connect to it as one',
  },
  TOO_MANY_REQUESTS: {
    status: 429,
    description: 'Too many wrong tokens were shown. A right one never waits.',
    detail: 'refused: too many wrong tokens; wait before the next',
    headers: {
      'Retry-After': {
        description: 'How many seconds to wait.',
        required: true,
        schema: { type: 'integer', minimum: 1 },
        example: 6,
      },
    },
  },
  REQUEST_HEADER_FIELDS_TOO_LARGE: {
    status: 431,
    description: 'The headers are larger than the server takes.',
    detail: "the request's headers are too large",
  },
  INTERNAL: {
    status: 500,
    description: 'A bug in the server.',
    detail: 'something went wrong in the server',
  },
  SERVICE_UNAVAILABLE: {
    status: 503,
    description: 'The server is not ready for more, or has as many WebSockets as it may; `detail` says why.',
    detail: 'not ready: the server is stopping',
  },
  CLOSE_TIMEOUT: {
    status: 504,
    description:
      'The session’s processes could not be ended within `TREX_KILL_SECONDS` and 4 s more, 5 s in all by default; it stays listed, and goes on closing.',
    detail: 'the process of s1 could not be ended within 5000 ms',
  },
} as const satisfies Record<string, ProblemKind>;

type Code = keyof typeof kinds;

const ANY: readonly Code[] = [
  'BAD_REQUEST',
  'FORBIDDEN',
  'REQUEST_TIMEOUT',
  'REQUEST_HEADER_FIELDS_TOO_LARGE',
  'INTERNAL',
];
const WHERE_A_TOKEN_IS_ASKED_FOR: readonly Code[] = ['UNAUTHORIZED', 'TOO_MANY_REQUESTS'];

/** By which an operation says what it answers beside what any does: the codes. */
const OWN_PROBLEMS = 'x-problems';

type Described = Operation & { [OWN_PROBLEMS]?: readonly Code[] };

const METHODS = ['get', 'put', 'post', 'delete', 'patch'] as const;

/** Adds to each operation the problems that it answers, and says which are open to those who show no token. */
export function describeProblems(document: OpenAPIObject): OpenAPIObject {
  /** By the name of the response: several codes may have one status. */
  const answered = new Map<string, readonly Code[]>();
  for (const [path, item] of Object.entries(document.paths)) {
    for (const method of METHODS) {
      const operation: Described | undefined = item[method];
      if (!operation) continue;
      const isOpen =
        method === 'get' ? OPEN_PATHS.includes(path) : method === 'delete' && path === LOGIN_PATH;
      if (isOpen) operation.security = [];
      const codes = [
        ...ANY,
        ...(isOpen ? [] : WHERE_A_TOKEN_IS_ASKED_FOR),
        ...(operation[OWN_PROBLEMS] ?? []),
      ];
      delete operation[OWN_PROBLEMS];
      for (const [status, its] of byStatus(codes)) {
        const name = its.map(nameOf).join('Or');
        answered.set(name, its);
        operation.responses[status] = { $ref: `#/components/responses/${name}` };
      }
    }
  }
  const used = new Set([...answered.values()].flat());
  const schemas = [...used].map((code) => [nameOf(code), schemaOf(code)] as const);
  document.components = {
    ...document.components,
    schemas: { ...document.components?.schemas, Problem: anyProblem, ...Object.fromEntries(schemas) },
    responses: Object.fromEntries(Array.from(answered, ([name, codes]) => [name, responseOf(codes)])),
  };
  return document;
}

function byStatus(codes: readonly Code[]): Map<number, Code[]> {
  const statuses = new Map<number, Code[]>();
  for (const code of codes) {
    const { status } = kinds[code];
    statuses.set(status, [...(statuses.get(status) ?? []), code]);
  }
  return statuses;
}

function responseOf(codes: readonly Code[]): Response {
  const refs = codes.map((code) => ({ $ref: `#/components/schemas/${nameOf(code)}` }));
  const [{ headers }] = codes.map((code): ProblemKind => kinds[code]) as [ProblemKind];
  return {
    description: codes.map((code) => `\`${code}\`: ${kinds[code].description}`).join(' '),
    ...(headers && { headers }),
    content: {
      [PROBLEM_MEDIA_TYPE]: {
        schema: refs.length === 1 ? refs[0]! : { oneOf: refs },
        examples: Object.fromEntries(codes.map((code) => [code, { value: exampleOf(code) }])),
      },
    },
  };
}

function exampleOf(code: Code): Problem {
  const { status, detail } = kinds[code];
  return problem(status, STATUS_CODES[status]!, code, detail);
}

const anyProblem: Schema = {
  type: 'object',
  description: 'RFC 9457 problem details: the body of every error.',
  required: ['type', 'title', 'status', 'detail', 'code'],
  properties: {
    type: {
      type: 'string',
      enum: ['about:blank'],
      description: 'Always the same: the status says what kind of problem it is.',
    },
    title: { type: 'string', description: 'The status in words.' },
    status: { type: 'integer', minimum: 400, maximum: 599, description: 'The HTTP status.' },
    detail: { type: 'string', description: 'A sentence for people. May change.' },
    code: { type: 'string', enum: Object.keys(kinds), description: 'Stable, for programs.' },
  },
};

/** Whoever knows the code knows the status, and the other way round where one has one code. */
function schemaOf(code: Code): Schema {
  return {
    description: kinds[code].description,
    allOf: [
      { $ref: '#/components/schemas/Problem' },
      {
        type: 'object',
        required: ['status', 'code'],
        properties: {
          status: { type: 'integer', enum: [kinds[code].status] },
          code: { type: 'string', enum: [code] },
        },
      },
    ],
  };
}

/** `SESSION_NOT_FOUND` → `SessionNotFound` */
function nameOf(code: Code): string {
  return code.toLowerCase().replaceAll(/(?:^|_)([a-z])/g, (_all, letter: string) => letter.toUpperCase());
}
