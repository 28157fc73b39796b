import fc from 'fast-check';
import { type ErrorReason } from '../../src/protocol/messages.js';

/** In JSON, which can say more than any JavaScript value: `1e309`, a key twice, half a character. */
export type Field = readonly [name: string, json: string];

/**
 * What comes of a payload: a session that runs, one that fails as it starts, or a refusal; `one of them`: exactly one of
 * these, whichever; `the end`: of the connection.
 */
export type Outcome = 'runs' | 'fails' | 'one of them' | 'the end' | ErrorReason;

export interface Payload {
  /** As a text frame, or a binary one; where it is the connection's end, the bytes on the wire. */
  readonly frame: string | Buffer;
  readonly outcome: Outcome;
  /** Whether its session is typed to and heard before it is closed. */
  readonly isUsed?: boolean;
}

/** The text frame of a `create` with these fields. */
export function create(...fields: readonly Field[]): string {
  return objectOf([['type', '"create"'], ...fields]);
}

function objectOf(fields: readonly Field[]): string {
  return `{${fields.map(([name, json]) => `${JSON.stringify(name)}:${json}`).join(',')}}`;
}

const texts = (...values: readonly string[]): string[] => values.map((value) => JSON.stringify(value));

export const HOSTILE_SHELLS: readonly string[] = [
  ...texts('/bin/sh; id', '/bin/sh -c id', 'sh -c id', '$(id)', '`id`', '-sh', '/bin/sh\0', 'sh\0', '\0', ''),
  ...texts('../bin/sh', './sh', '/bin/../bin/sh', '/bin//sh', '/bin/sh/', ' sh', 'sh\n', 'SH', '\u0455h'),
  ...texts('/bin', '/', '/etc/passwd', '/bin/ls', '/usr/bin/env', '/proc/self/exe', '/no/such/shell'),
  ...texts('__proto__', 'constructor', 'toString', 'x'.repeat(4097), '/'.repeat(10_000)),
  ...[
    '5',
    '-1',
    '1e309',
    'null',
    'true',
    '[]',
    '["a"]',
    '["/bin/sh"]',
    '{}',
    '{"toString":"sh"}',
    '"\\ud800"',
  ],
];

export const HOSTILE_DIRECTORIES: readonly string[] = [
  ...texts('', ' ', '.', '..', 'here', './tmp', '~', '$HOME', 'C:\\', '\0', '\0/tmp', '/tmp\0', '/tmp\0/x'),
  ...texts(`/${'x'.repeat(4999)}`, '/'.repeat(4097)),
  ...['5', '0', 'null', 'false', '[]', '["/tmp"]', '{}', '"\\udc00"'],
];

/** Well formed, and nowhere that a process can be. */
export const MISSING_DIRECTORIES: readonly string[] = [
  ...texts('/no/such', '/etc/passwd', '/etc/passwd/x', '/bin/sh', '/dev/null', '/../no/such'),
  ...texts('/no/such\n\x1b[31m', `/${'x'.repeat(300)}`, `/${'x/'.repeat(2000)}`),
  '"/\\ud800"',
];

/** Neither columns nor rows can be so many. The kernel would take the low 16 bits: 65616 is 80 there. */
export const HOSTILE_COUNTS: readonly string[] = [
  ...[
    '0',
    '-0',
    '-1',
    '80.5',
    '1e-9',
    '1001',
    '65535',
    '65536',
    '65616',
    '70000',
    '2147483647',
    '2147483648',
  ],
  ...[
    '4294967301',
    '9007199254740993',
    '1e308',
    '1e309',
    '-1e309',
    'null',
    'true',
    'false',
    '[]',
    '[80]',
    '{}',
  ],
  ...['{"valueOf":80}', '""', '"80"', '"\\u0000"', ...texts('9'.repeat(10_000))],
];

/** What nobody reads, whatever is in it. */
export const IGNORED: readonly Field[] = [
  ['args', '[5]'],
  ['args', '["-c","exit 7"]'],
  ['args', '{"length":1e9}'],
  ['argv', '[null]'],
  ['file', '"/bin/false"'],
  ['env', '{"LD_PRELOAD=/x.so\\u0000":"1"}'],
  ['env', '{"LD_PRELOAD":"/x.so","A":5,"":null}'],
  ['env', '[["A","B"]]'],
  ['environment', '["LD_PRELOAD=/x.so"]'],
  ['uid', '65534'],
  ['gid', '-1'],
  ['name', '5'],
  ['encoding', 'null'],
  ['sessionId', '[5]'],
  ['__proto__', '{"cols":0,"shell":5,"args":[5]}'],
  ['constructor', '{"prototype":{"shell":5}}'],
  ['hasOwnProperty', '5'],
];

const WRONG_IDS = ['5', 'null', '""', '[]', '{}', 'true', ...texts('r'.repeat(129), 'r'.repeat(10_000))];
const WRONG_TYPES = ['null', '1', '"CREATE"', '"create\\u0000"', '["create"]', '{"a":"create"}', '"\\ud800"'];
const WRONG_BOOLEANS = ['"true"', '""', '0', '1', 'null', '[]', '{}', '1e309'];

/** One field that is wrong, and what comes of it. */
const WRONG: readonly (readonly [Outcome, readonly (readonly Field[])[]])[] = [
  [
    'INVALID_SIZE',
    HOSTILE_COUNTS.map((json) => [
      ['cols', json],
      ['rows', '24'],
    ]),
  ],
  [
    'INVALID_SIZE',
    [...HOSTILE_COUNTS, '501'].map((json) => [
      ['cols', '80'],
      ['rows', json],
    ]),
  ],
  ['INVALID_SIZE', [[['cols', '80']], [['rows', '24']]]],
  ['INVALID_SHELL', HOSTILE_SHELLS.map((json) => [['shell', json]])],
  ['INVALID_CWD', HOSTILE_DIRECTORIES.map((json) => [['cwd', json]])],
  ['fails', MISSING_DIRECTORIES.map((json) => [['cwd', json]])],
  ['BAD_MESSAGE', WRONG_BOOLEANS.map((json) => [['persistent', json]])],
  ['BAD_MESSAGE', WRONG_IDS.map((json) => [['requestId', json]])],
  ['UNKNOWN_TYPE', WRONG_TYPES.map((json) => [['type', json]])],
];

/** Each of the above once. */
export const NAMED_PAYLOADS: readonly Payload[] = [
  ...IGNORED.map((field) => ({ frame: create(field), outcome: 'runs' as const, isUsed: true })),
  ...WRONG.flatMap(([outcome, all]) =>
    all.map((fields) => ({ frame: create(...fields), outcome, isUsed: outcome === 'fails' })),
  ),
];

type Gen<T> = fc.Arbitrary<T>;

/** A process takes a hundred times longer than a message: it is started for one of so many. */
const STARTED_ONE_IN = 12;

function seldom<T>(arbitrary: Gen<T>, otherwise: T): Gen<T> {
  return fc.oneof(
    { weight: STARTED_ONE_IN - 1, arbitrary: fc.constant(otherwise) },
    { weight: 1, arbitrary },
  );
}

const isUsed = seldom(fc.constant(true), false);

/** A size, in one of the ways in which JSON can write it. */
const size: Gen<Field[]> = fc
  .tuple(fc.integer({ min: 1, max: 1000 }), fc.integer({ min: 1, max: 500 }), fc.constantFrom('', '.0', 'e0'))
  .map(([cols, rows, form]) => [
    ['cols', `${cols}${form}`],
    ['rows', `${rows}${form}`],
  ]);

const named = (name: string, ...json: readonly string[]): Gen<Field[]> =>
  fc.constantFrom(...json).map((value) => [[name, value]]);

/** What may be asked for, each part of it or not. */
const wishes: Gen<Field[]> = fc
  .tuple(
    seldom(size, []),
    ...[
      fc
        .string({ unit: 'binary', minLength: 1, maxLength: 40 })
        .map((id): Field[] => [['requestId', JSON.stringify(id)]]),
      named('shell', '"sh"', '"bash"', '"/bin/sh"', '"/bin/bash"', '"\\u0073h"'),
      named('cwd', '"/"', '"/tmp"', '"//"', '"/tmp/../."', '"/proc/self"'),
      named('persistent', 'true', 'false'),
      fc.constantFrom(...IGNORED).map((field) => [field]),
    ].map((wish) => fc.option(wish, { nil: [] })),
  )
  .map((parts) => parts.flat());

const valid: Gen<Payload> = fc.record({
  frame: wishes.map((fields) => create(...fields)),
  outcome: fc.constant<Outcome>('runs'),
  isUsed,
});

const mutated: Gen<Payload> = fc.oneof(
  ...WRONG.map(([outcome, all]) =>
    fc.record({
      frame: fc.tuple(wishes, fc.constantFrom(...all)).map(([fields, wrong]) => {
        const replaced = [
          ...wrong.map(([name]) => name),
          ...(outcome === 'INVALID_SIZE' ? ['cols', 'rows'] : []),
        ];
        return create(...fields.filter(([name]) => !replaced.includes(name)), ...wrong);
      }),
      outcome: fc.constant(outcome),
      isUsed,
    }),
  ),
);

const anyJson = fc.jsonValue({ stringUnit: 'binary' }).map((value) => JSON.stringify(value));

const nested = (depth: number): string => `${'[{"a":'.repeat(depth)}1${'}]'.repeat(depth)}`;

const noise: Gen<Payload> = fc.oneof(
  fc.record({
    frame: fc.tuple(wishes, fc.nat(3000)).map(([fields, depth]) => create(['x', nested(depth)], ...fields)),
    outcome: fc.constant<Outcome>('runs'),
  }),
  fc.record({
    // Of a name that comes twice, the last counts.
    frame: wishes.map((fields) => create(...fields.map(([name]): Field => [name, '{"a":5}']), ...fields)),
    outcome: fc.constant<Outcome>('runs'),
    isUsed,
  }),
  fc.record({
    frame: wishes.map((fields) => objectOf([['__proto__', create(...fields)]])),
    outcome: fc.constant<Outcome>('UNKNOWN_TYPE'),
  }),
  fc.record({
    frame: fc
      .dictionary(fc.constantFrom('requestId', 'cols', 'rows', 'shell', 'cwd', 'persistent', 'args'), anyJson)
      .map((fields) => create(...Object.entries(fields))),
    outcome: fc.constant<Outcome>('one of them'),
  }),
  anyJson.map((frame): Payload => ({ frame, outcome: refusalOf(frame) })),
);

const raw: Gen<Payload> = fc.oneof(
  fc.string({ unit: 'binary-ascii' }).map((frame): Payload => ({ frame, outcome: refusalOf(frame) })),
  fc.record({
    frame: fc.tuple(wishes, fc.nat()).map(([fields, at]) => {
      const whole = create(...fields);
      return whole.slice(0, at % whole.length);
    }),
    outcome: fc.constant<Outcome>('BAD_JSON'),
  }),
  fc.record({
    frame: fc.oneof(
      wishes.map((fields) => Buffer.from(create(...fields))),
      fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    ),
    outcome: fc.constant<Outcome>('BAD_MESSAGE'),
  }),
  fc.record({
    frame: fc.constantFrom(
      // Reserved bits, opcodes of nobody, a control frame in pieces, no mask, no UTF-8.
      ...[0xc1, 0xa1, 0x91, 0xf1, 0x83, 0x8f, 0x09].map((bits) =>
        rawFrame(bits, true, Buffer.from(create())),
      ),
      rawFrame(0x81, false, Buffer.from(create())),
      rawFrame(0x81, true, Buffer.from([0x22, 0xff, 0xfe, 0x22])),
    ),
    outcome: fc.constant<Outcome>('the end'),
  }),
);

/** What a client may send that means a `create`, or means to look like one. */
export const payload: Gen<Payload> = fc.oneof(
  { weight: 4, arbitrary: valid },
  { weight: 3, arbitrary: mutated },
  { weight: 2, arbitrary: noise },
  { weight: 1, arbitrary: raw },
);

/** What is said of a frame that is no `create`. */
function refusalOf(frame: string): ErrorReason {
  try {
    const value: unknown = JSON.parse(frame);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? 'UNKNOWN_TYPE' : 'BAD_MESSAGE';
  } catch {
    return 'BAD_JSON';
  }
}

/** A short frame whose first byte is as given, masked with zeros or not at all (RFC 6455, 5.2). */
function rawFrame(bits: number, isMasked: boolean, content: Uint8Array): Buffer {
  const head = [bits, (isMasked ? 0x80 : 0) | content.length, ...(isMasked ? [0, 0, 0, 0] : [])];
  return Buffer.concat([Buffer.from(head), content]);
}
