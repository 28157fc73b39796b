/**
 * Loaded into a server before its own code (`--require`): lets the memory hook tell, too, which share of its time the
 * server has spent in telemetry, by a profile of the main thread. Waiting does not count, what telemetry calls does.
 */
import { type Profiler, Session } from 'node:inspector';

const SAMPLE_MICROSECONDS = 1000;
const TELEMETRY = /\/dist\/(observability\/|metrics-page\.js)|\/node_modules\/@opentelemetry\//;

const session = new Session();
session.connect();
session.post('Profiler.enable');
session.post('Profiler.setSamplingInterval', { interval: SAMPLE_MICROSECONDS });
session.post('Profiler.start');

(globalThis as { benchFigures?: object }).benchFigures = {
  /** Since it was asked for last. */
  get telemetryShare(): number {
    let share = NaN;
    // Of a session with its own thread, which answers before `post` returns.
    session.post('Profiler.stop', (error, { profile }) => {
      if (!error) share = shareOfTelemetry(profile);
    });
    session.post('Profiler.start');
    return share;
  },
};

function shareOfTelemetry({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile): number {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const inTelemetry = new Set<number>();
  const mark = (id: number): void => {
    if (inTelemetry.has(id)) return;
    inTelemetry.add(id);
    byId.get(id)?.children?.forEach(mark);
  };
  for (const { id, callFrame } of nodes) if (TELEMETRY.test(callFrame.url)) mark(id);
  let busy = 0;
  let spent = 0;
  samples.forEach((id, index) => {
    if (byId.get(id)?.callFrame.functionName === '(idle)') return;
    // A sample stands for the time that follows it.
    const took = timeDeltas[index + 1] ?? 0;
    busy += took;
    if (inTelemetry.has(id)) spent += took;
  });
  return spent / busy;
}
