import fc from 'fast-check';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type AppConfig, LOG_LEVELS } from '../../src/config/app-config.js';
import { ConfigError } from '../../src/config/config-error.js';
import { type Environment, readEnvironment } from '../../src/config/environment.js';
import { type Machine } from '../../src/config/machine.js';
import { type Setting, settings } from '../../src/config/settings.js';
import { useProgram } from '../support/program.js';
import { runs } from '../support/runs.js';
import { until } from '../support/until.js';

/*
 * G5: environments of settings that are as they should be, of which each number may be at an end of its range or just
 * beyond, of misspelt names, and of settings that cannot hold together. Whatever is set: it is a configuration, or every
 * wrong setting is complained about by name, and nothing else happens.
 */

/** Cases that were found before: looked at first, and by the program itself. */
const corpus = JSON.parse(readFileSync(join(__dirname, '../corpus/settings.json'), 'utf8')) as Environment[];
const RUNS = runs(2000);

const TOKEN = '0123456789abcdefghijkl';
const OTHER_TOKEN = 'x'.repeat(512);
const secrets = new Map([
  ['/run/token', TOKEN],
  ['/run/other', OTHER_TOKEN],
  ['/run/short', 'short'],
]);
const SHELLS = ['/bin/bash', '/bin/sh'];
const machine: Machine = {
  home: '/home/ada',
  userShell: '/bin/bash',
  shells: SHELLS,
  mayExecute: () => true,
  directory: (path) => path,
  readSecret: (path) => {
    const text = secrets.get(path);
    return text === undefined
      ? { refused: 'is not there' }
      : {
          text: `${text}
`,
        };
  },
};

interface Texts {
  readonly right: readonly string[];
  readonly wrong: readonly string[];
}

const onOrOff: Texts = { right: ['on', 'off'], wrong: ['ON', 'yes', '1', 'on '] };
const token: Texts = {
  right: [TOKEN, OTHER_TOKEN],
  wrong: [TOKEN.slice(1), `${OTHER_TOKEN}x`, `${TOKEN} `, `${TOKEN}\n`],
};
const tokenFile: Texts = {
  right: ['/run/token', '/run/other'],
  wrong: ['token', '/run/', '/run/gone', '/run/short'],
};

/** Of the settings that are no numbers, what the documentation says of some texts. */
const texts: Readonly<Record<string, Texts>> = {
  TREX_HOST: {
    right: ['127.0.0.1', '127.9.9.9', 'localhost', '::1', '0.0.0.0', '::', 'box.example'],
    wrong: ['', '127.0.0.1:80', '[::1]', 'a b', '*', '-box', 'box.'],
  },
  TREX_PAGE: onOrOff,
  TREX_METRICS: onOrOff,
  TREX_SHELL: { right: ['bash', 'sh', '/bin/sh', '/opt/fish'], wrong: ['bin/sh', '/bin/', 'fish', '-c'] },
  TREX_SHELLS: { right: ['/bin/sh', '/bin/sh,/bin/sh'], wrong: ['sh', '/bin/sh,', ',', '/bin/sh, /x'] },
  TREX_CWD: { right: ['/srv', '/srv/work', '/srvice', '/'], wrong: ['srv', '~', './srv', 'C:\\'] },
  TREX_CWD_ROOT: { right: ['/srv', '/'], wrong: ['srv', '..'] },
  TREX_AUTH: { right: ['auto', 'none'], wrong: ['None', 'off', 'constructor'] },
  TREX_TOKEN: token,
  TREX_TOKEN_FILE: tokenFile,
  TREX_READ_ONLY_TOKEN: token,
  TREX_READ_ONLY_TOKEN_FILE: tokenFile,
  TREX_ALLOWED_HOSTS: { right: ['a.example,b:8443', 'a'], wrong: ['*', 'a:0', 'http://a', 'a,', 'A'] },
  TREX_ALLOWED_ORIGINS: {
    right: ['https://a.example,http://b:8080', 'null'],
    wrong: ['https://a.example/', '*', 'https://*.a', 'a.example', 'HTTPS://a', 'https://a:443'],
  },
  TREX_ALLOWED_UIDS: {
    right: ['0', '1000,65534'],
    wrong: ['-1', 'ada', '01', '1000,', '1e3', '12345678901'],
  },
  TREX_TRUST_PROXY: {
    right: ['10.0.0.0/8,::1', 'fd00::/128'],
    wrong: ['10.0.0.0/33', '10.0.0', 'proxy', '::/129', '10.0.0.0/8/8', '10.0.0.0/'],
  },
  TREX_LOG_LEVEL: { right: LOG_LEVELS, wrong: ['INFO', 'fatal', 'toString'] },
};

const MISSPELT = [
  'TREX_PROT',
  'TREX_port',
  'TREX_',
  'TREX_PORT_',
  'TREX___proto__',
  'TREX_\x1b[2J',
  'TREX_ÄÖ',
];
/** Commands are asked by it; the server does not read it. */
const URL_SETTING = settings.url.name;
const NOT_OURS = [URL_SETTING, 'trex_port', 'PORT', 'XTREX_PORT', 'TREX', '__proto__'];

/** What the help tells of a number. */
function rangeOf({ accepts }: Setting<unknown>): readonly [min: number, max: number] | undefined {
  const range = /^a whole number from (\d+) to (\d+)$/.exec(accepts);
  return range ? [Number(range[1]), Number(range[2])] : undefined;
}

const known = new Map(
  Object.values(settings)
    .filter(({ name }) => name !== URL_SETTING)
    .map((setting) => [setting.name as string, setting]),
);

function isRight(name: string, text: string): boolean {
  const setting = known.get(name);
  if (!setting) return !name.startsWith('TREX_') || name === URL_SETTING;
  if (text === '') return name !== 'TREX_HOST';
  const range = rangeOf(setting);
  if (!range) return texts[name]!.right.includes(text);
  return String(Number(text)) === text && Number(text) >= range[0] && Number(text) <= range[1];
}

function textFor(setting: Setting<unknown>): fc.Arbitrary<string> {
  const range = rangeOf(setting);
  const { right, wrong } = range ? numbers(...range) : texts[setting.name]!;
  return fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom(...right, '') },
    { weight: 1, arbitrary: fc.constantFrom(...wrong) },
    {
      weight: range ? 6 : 0,
      arbitrary: range ? fc.integer({ min: range[0], max: range[1] }).map(String) : fc.constant(''),
    },
  );
}

function numbers(min: number, max: number): Texts {
  const around = [
    `${min}.0`,
    `0${min}`,
    `+${max}`,
    ` ${max}`,
    `${max} `,
    `${max}\n`,
    `0x${max.toString(16)}`,
  ];
  const others = ['1e2', '-0', 'ten', 'NaN', 'Infinity', '٢٤', '\x1b[2J', '9'.repeat(400)];
  return {
    right: [String(min), String(max)],
    wrong: [String(min - 1), String(max + 1), ...around, ...others],
  };
}

const entry = fc.oneof(
  {
    weight: 30,
    arbitrary: fc
      .constantFrom(...known.values())
      .chain((setting) => fc.tuple(fc.constant<string>(setting.name), textFor(setting))),
  },
  { weight: 1, arbitrary: fc.tuple(fc.constantFrom(...MISSPELT), fc.constantFrom('', '1')) },
  { weight: 3, arbitrary: fc.tuple(fc.constantFrom(...NOT_OURS), fc.string()) },
);
/** Those that may contradict each other, together: among fifty they would seldom meet. */
const GROUPS: readonly string[][] = [
  [
    'TREX_AUTH',
    'TREX_TOKEN',
    'TREX_TOKEN_FILE',
    'TREX_READ_ONLY_TOKEN',
    'TREX_READ_ONLY_TOKEN_FILE',
    'TREX_HOST',
  ],
  ['TREX_MAX_MESSAGE_BYTES', 'TREX_INPUT_QUEUE_BYTES', 'TREX_INPUT_TOTAL_BYTES'],
  ['TREX_PING_SECONDS', 'TREX_DEAD_SECONDS'],
  ['TREX_HEADERS_TIMEOUT_SECONDS', 'TREX_REQUEST_TIMEOUT_SECONDS'],
  ['TREX_KILL_SECONDS', 'TREX_SHUTDOWN_SECONDS'],
  ['TREX_CWD', 'TREX_CWD_ROOT'],
  ['TREX_SHELL', 'TREX_SHELLS'],
];
const group = fc
  .constantFrom(...GROUPS)
  .chain((names) => fc.subarray(names))
  .chain((names) => fc.tuple(...names.map((name) => fc.tuple(fc.constant(name), textFor(known.get(name)!)))));
const environment = fc
  .tuple(fc.array(entry, { maxLength: 6 }), group)
  .map(([entries, together]): Environment => Object.fromEntries<string>([...entries, ...together]));

/** Whether settings of which each is right cannot hold together. */
function contradict(env: Environment): boolean {
  const set = (name: string): string | undefined => (env[name] === '' ? undefined : env[name]);
  const number = (name: string): number => Number(set(name) ?? known.get(name)!.byDefault);
  const [token, file] = [set('TREX_TOKEN'), set('TREX_TOKEN_FILE')];
  const [readOnly, readOnlyFile] = [set('TREX_READ_ONLY_TOKEN'), set('TREX_READ_ONLY_TOKEN_FILE')];
  const full = token ?? secrets.get(file ?? '');
  const reading = readOnly ?? secrets.get(readOnlyFile ?? '');
  const isOpen = set('TREX_AUTH') === 'none';
  const host = set('TREX_HOST') ?? 'localhost';
  const shells = [...SHELLS, ...(set('TREX_SHELLS') ?? '').split(',')];
  const shell = set('TREX_SHELL') ?? 'bash';
  const root = set('TREX_CWD_ROOT') ?? '/';
  const cwd = set('TREX_CWD') ?? root;
  return [
    number('TREX_MAX_MESSAGE_BYTES') > number('TREX_INPUT_QUEUE_BYTES'),
    number('TREX_INPUT_QUEUE_BYTES') > number('TREX_INPUT_TOTAL_BYTES'),
    number('TREX_PING_SECONDS') >= number('TREX_DEAD_SECONDS'),
    number('TREX_HEADERS_TIMEOUT_SECONDS') > number('TREX_REQUEST_TIMEOUT_SECONDS'),
    number('TREX_KILL_SECONDS') >= number('TREX_SHUTDOWN_SECONDS'),
    token !== undefined && file !== undefined,
    readOnly !== undefined && readOnlyFile !== undefined,
    isOpen && (full ?? reading) !== undefined,
    full === undefined && reading !== undefined,
    full !== undefined && full === reading,
    !/^(localhost|::1|127\..*)$/.test(host) && !isOpen && full === undefined,
    !shell.includes('/') && !shells.some((one) => one.endsWith(`/${shell}`)),
    root !== '/' && !`${cwd}/`.startsWith(`${root}/`),
  ].includes(true);
}

function isKept(config: AppConfig, env: Environment): boolean {
  return Object.entries(settings).every(([key, setting]) => {
    const range = rangeOf(setting);
    if (!range) return true;
    const value = config[key as keyof AppConfig] as number;
    const text = env[setting.name] ?? '';
    return value === Number(text === '' ? setting.byDefault : text) && value >= range[0] && value <= range[1];
  });
}

/** Each tells of one setting, at least, and shows nothing that acts on a terminal, nor a secret. */
function assertComplaints(problems: readonly string[], env: Environment): void {
  assert.notEqual(problems.length, 0);
  for (const problem of problems) {
    assert.match(problem, /TREX_/);
    assert.doesNotMatch(problem, /\p{Cc}/u);
    for (const secret of [TOKEN.slice(1), OTHER_TOKEN.slice(0, 22)]) assert.ok(!problem.includes(secret));
  }
  for (const [name, text] of Object.entries(env)) {
    const shown = JSON.stringify(name).slice(1, -1);
    assert.ok(isRight(name, text!) || problems.some((problem) => problem.startsWith(shown)), shown);
  }
}

describe('G5: environments', () => {
  it('are a configuration that keeps its promises, or are complained about, setting by setting', () => {
    let taken = 0;
    let contradictory = 0;
    fc.assert(
      fc.property(environment, (env) => {
        const areRight = Object.entries(env).every(([name, text]) => isRight(name, text!));
        const isTaken = areRight && !contradict(env);
        try {
          const config = readEnvironment(env, machine);
          assert.ok(isTaken);
          assert.ok(isKept(config, env));
        } catch (error) {
          if (!(error instanceof ConfigError)) throw error;
          assert.ok(!isTaken, error.message);
          assertComplaints(error.problems, env);
        }
        if (isTaken) taken += 1;
        if (areRight && !isTaken) contradictory += 1;
      }),
      { numRuns: RUNS, examples: corpus.map((env): [Environment] => [env]) },
    );
    expect(taken).toBeGreaterThan(RUNS / 5);
    expect(contradictory).toBeGreaterThan(RUNS / 10);
  });
});

describe('G5: the program, in such an environment', () => {
  const start = useProgram();

  it.each(corpus)('starts, or says what is wrong and exits with 78: %j', async (env) => {
    const areRight = Object.entries(env).every(([name, text]) => isRight(name, text!)) && !contradict(env);
    const program = start([], env as Record<string, string>);

    await until(() => program.exit !== undefined || program.port > 0, 'it starts, or ends');

    if (areRight) {
      expect({ exit: program.exit, stderr: program.stderr }).toEqual({ exit: undefined, stderr: '' });
    } else {
      expect({ code: await program.ended(), stdout: program.stdout }).toEqual({ code: 78, stdout: '' });
      const lines = program.stderr.trimEnd().split('\n');
      assertComplaints(
        lines.slice(0, -1).map((line) => line.replace(/^trex: /, '')),
        env,
      );
    }
  });
});
