import { type Attributes, type Meter } from '@opentelemetry/api';
import { performance } from 'node:perf_hooks';
import { type AppConfig } from '../config/app-config.js';
import { type Clock } from '../core/clock.js';
import { type SessionEvents } from '../core/session-events.js';
import { type Counts, type Statistics } from '../core/statistics.js';
import { type EventLoopDelay } from './event-loop-delay.js';
import { type SessionFigures } from './session-figures.js';

/** What is watched. */
export interface Watched {
  readonly config: AppConfig;
  readonly clock: Clock;
  readonly events: SessionEvents;
  readonly statistics: Statistics;
  readonly sessions: SessionFigures;
  readonly eventLoop: EventLoopDelay;
}

/** One number, or one for each of what it is told apart by. */
type Observed = number | readonly (readonly [value: number, attributes: Attributes])[] | undefined;

interface Metric {
  readonly name: string;
  readonly unit: string;
  readonly description: string;
}

/** Read when somebody asks: between two looks it costs nothing. */
interface ObservedMetric extends Metric {
  /** `sum` grows only; `level` goes up and down and may be added up over servers; `gauge` may not. */
  readonly kind: 'sum' | 'level' | 'gauge';
  readonly read: (watched: Watched) => Observed;
}

const observed: readonly ObservedMetric[] = [
  {
    name: 'trex.sessions',
    kind: 'level',
    unit: '{session}',
    description: 'Sessions that are listed, by state; those that have ended are kept for a while.',
    read: ({ sessions }) => byName(Object.entries(sessions.inState()), 'trex.session.state'),
  },
  {
    name: 'trex.session.limit',
    kind: 'level',
    unit: '{session}',
    description: 'How many sessions may run at once.',
    read: ({ config }) => config.maxSessions,
  },
  {
    name: 'trex.session.created',
    kind: 'sum',
    unit: '{session}',
    description: 'Sessions that were created.',
    read: ({ sessions }) => sessions.created,
  },
  {
    name: 'trex.session.ended',
    kind: 'sum',
    unit: '{session}',
    description: 'Sessions that have ended, by cause: by themselves, closed, or failed to start.',
    read: ({ sessions }) =>
      sessions.ended.map(({ ending: { cause, failure }, count }) => [
        count,
        { 'trex.session.end.cause': cause, ...(failure !== undefined && { 'error.type': failure }) },
      ]),
  },
  {
    name: 'trex.session.paused',
    kind: 'level',
    unit: '{session}',
    description: 'Sessions whose process waits for a viewer.',
    read: ({ statistics }) => statistics.pauses.now,
  },
  {
    name: 'trex.session.pause.time',
    kind: 'sum',
    unit: 's',
    description: 'How long processes have waited for viewers, all together.',
    read: ({ statistics, clock }) => statistics.pauses.totalMs(clock.elapsed()) / 1000,
  },
  {
    name: 'trex.connections',
    kind: 'level',
    unit: '{connection}',
    description: 'Open WebSockets, by protocol.',
    read: ({ statistics: { connectionsOpened, connectionsClosed } }) =>
      PROTOCOLS.map((name) => [
        connectionsOpened.of(name) - connectionsClosed.of(name),
        { 'trex.protocol': name },
      ]),
  },
  {
    name: 'trex.connection.limit',
    kind: 'level',
    unit: '{connection}',
    description: 'How many WebSockets there may be at once.',
    read: ({ config }) => config.maxConnections,
  },
  {
    name: 'trex.connection.opened',
    kind: 'sum',
    unit: '{connection}',
    description: 'WebSockets that were let in, by protocol.',
    read: ({ statistics }) =>
      PROTOCOLS.map((name) => [statistics.connectionsOpened.of(name), { 'trex.protocol': name }]),
  },
  {
    name: 'trex.viewers',
    kind: 'level',
    unit: '{viewer}',
    description: 'Views of sessions, those included that wait for a lost connection to come back.',
    read: ({ sessions }) => sessions.viewers,
  },
  {
    name: 'trex.output.read',
    kind: 'sum',
    unit: 'By',
    description: 'Terminal output that was read from processes.',
    read: ({ statistics }) => statistics.outputReadBytes,
  },
  {
    name: 'trex.output.sent',
    kind: 'sum',
    unit: 'By',
    description: 'Terminal output that was sent, once for each viewer.',
    read: ({ statistics }) => statistics.outputSentBytes,
  },
  {
    name: 'trex.output.gaps',
    kind: 'sum',
    unit: '{gap}',
    description: 'Gaps that viewers were told of.',
    read: ({ statistics }) => statistics.gaps,
  },
  {
    name: 'trex.output.lost',
    kind: 'sum',
    unit: 'By',
    description: 'Output in these gaps.',
    read: ({ statistics }) => statistics.gapBytes,
  },
  {
    name: 'trex.input.accepted',
    kind: 'sum',
    unit: 'By',
    description: 'Input that sessions have accepted.',
    read: ({ statistics }) => statistics.inputAcceptedBytes,
  },
  {
    name: 'trex.input.written',
    kind: 'sum',
    unit: 'By',
    description: 'Input that terminals have taken.',
    read: ({ statistics }) => statistics.inputWrittenBytes,
  },
  {
    name: 'trex.input.queue.size',
    kind: 'level',
    unit: 'By',
    description: 'Input that waits for processes which do not read.',
    read: ({ sessions }) => sessions.queuedBytes,
  },
  {
    name: 'trex.input.queue.limit',
    kind: 'level',
    unit: 'By',
    description: 'How much input may wait in all sessions together.',
    read: ({ config }) => config.inputTotalBytes,
  },
  {
    name: 'trex.resumes',
    kind: 'sum',
    unit: '{resume}',
    description: 'Clients that came back with a resume token, by whether it was known.',
    read: ({ statistics }) => byName(Object.entries(statistics.resumes), 'trex.resume.outcome'),
  },
  {
    name: 'trex.refusals',
    kind: 'sum',
    unit: '{refusal}',
    description: 'Requests and messages that were refused, by where and why.',
    read: ({ statistics: { refusals } }) => Object.entries(refusals).flatMap(byReason),
  },
  ...(['mean', 'p50', 'p90', 'p99', 'max'] as const).map((figure): ObservedMetric => ({
    name: `nodejs.eventloop.delay.${figure}`,
    kind: 'gauge',
    unit: 's',
    description: `How late the event loop came, ${figure} of the last whole ten seconds.`,
    read: ({ eventLoop: { latest } }) => latest && latest[`${figure}Ms`] / 1000,
  })),
  {
    name: 'nodejs.eventloop.time',
    kind: 'sum',
    unit: 's',
    description: 'How long the event loop has worked and waited.',
    read: () => {
      const { active, idle } = performance.eventLoopUtilization();
      return byName(
        [
          ['active', active / 1000],
          ['idle', idle / 1000],
        ],
        'nodejs.eventloop.state',
      );
    },
  },
  {
    name: 'trex.eventloop.late',
    kind: 'sum',
    unit: '{window}',
    description:
      'Ten seconds in which the event loop was more than 200 ms late at p99, or once more than a second.',
    read: ({ eventLoop }) => eventLoop.lateWindows,
  },
  {
    name: 'process.cpu.time',
    kind: 'sum',
    unit: 's',
    description: 'Processor time of the server, without the shells.',
    read: () => {
      const { user, system } = process.cpuUsage();
      return byName(
        [
          ['user', user / 1e6],
          ['system', system / 1e6],
        ],
        'cpu.mode',
      );
    },
  },
  {
    name: 'process.memory.usage',
    kind: 'level',
    unit: 'By',
    description: 'Memory of the server that is resident, without the shells.',
    read: () => process.memoryUsage.rss(),
  },
  {
    name: 'process.uptime',
    kind: 'gauge',
    unit: 's',
    description: 'How long the server has run.',
    read: () => process.uptime(),
  },
];

const PROTOCOLS = ['trex.v1', 'trex.v2'];

const spawnDuration: Metric = {
  name: 'trex.session.spawn.duration',
  unit: 's',
  description: 'From when a process was to be started until it was.',
};

const echoDuration: Metric = {
  name: 'trex.echo.duration',
  unit: 's',
  description:
    'From when input has come until the first output of its session after it is given to a socket; the program’s own time is part of it.',
};

const serverEchoDuration: Metric = {
  name: 'trex.echo.server.duration',
  unit: 's',
  description: 'The part of trex.echo.duration from when that output has been read: the server’s own.',
};

const SECONDS = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10];

/** Makes what is watched known to `meter`: what is counted already is read when asked for, the rest is recorded. */
export function measure(meter: Meter, watched: Watched): void {
  watched.eventLoop.watch();
  for (const metric of observed) observe(meter, metric, watched);
  const histogram = ({ name, ...about }: Metric): ((ms: number) => void) => {
    const made = meter.createHistogram(name, { ...about, advice: { explicitBucketBoundaries: SECONDS } });
    return (ms) => made.record(ms / 1000);
  };
  const [spawned, echoed, echoedByServer] = [
    histogram(spawnDuration),
    histogram(echoDuration),
    histogram(serverEchoDuration),
  ];
  watched.events.subscribe(({ type, tookMs }) => {
    if (type === 'started' && tookMs !== undefined) spawned(tookMs);
  });
  watched.statistics.echoed = ({ totalMs, serverMs }) => {
    echoed(totalMs);
    echoedByServer(serverMs);
  };
}

function observe(
  meter: Meter,
  { name, kind, unit, description, read }: ObservedMetric,
  watched: Watched,
): void {
  const about = { unit, description };
  const instrument = {
    sum: () => meter.createObservableCounter(name, about),
    level: () => meter.createObservableUpDownCounter(name, about),
    gauge: () => meter.createObservableGauge(name, about),
  }[kind]();
  instrument.addCallback((result) => {
    const value = read(watched);
    if (typeof value === 'number') result.observe(value);
    else for (const [one, attributes] of value ?? []) result.observe(one, attributes);
  });
}

function byName(
  numbers: readonly (readonly [name: string, value: number])[],
  attribute: string,
): (readonly [number, Attributes])[] {
  return numbers.map(([name, value]) => [value, { [attribute]: name }]);
}

function byReason([door, reasons]: readonly [string, Counts]): (readonly [number, Attributes])[] {
  return reasons
    .entries()
    .map(([reason, count]) => [count, { 'trex.refusal.door': door, 'error.type': reason }]);
}
