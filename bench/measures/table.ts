import { type Measure } from '../harness/measure.js';
import { echoFlood } from './echo-flood.js';
import { echoIdle } from './echo-idle.js';
import { slowClient } from './slow-client.js';
import { throughput } from './throughput.js';

/** Every measure, in the order of the table in README.md. */
export const measures: readonly Measure[] = [throughput, echoIdle, echoFlood, slowClient];
