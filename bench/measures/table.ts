import { type Measure } from '../harness/measure.js';
import { echoFlood } from './echo-flood.js';
import { echoIdle } from './echo-idle.js';
import { hostile } from './hostile.js';
import { idleSessions } from './idle-sessions.js';
import { links } from './links.js';
import { outages } from './outages.js';
import { reconnects } from './reconnects.js';
import { comingBack } from './return.js';
import { search } from './search.js';
import { slowClient } from './slow-client.js';
import { stalledClient } from './stalled-client.js';
import { telemetry } from './telemetry.js';
import { throughput } from './throughput.js';
import { viewers } from './viewers.js';

/** Every measure, in the order of the table in README.md. */
export const measures: readonly Measure[] = [
  throughput,
  search,
  telemetry,
  echoIdle,
  echoFlood,
  slowClient,
  stalledClient,
  viewers,
  idleSessions,
  links,
  reconnects,
  outages,
  comingBack,
  hostile,
];
