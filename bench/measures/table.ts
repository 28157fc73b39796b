import { type Measure } from '../harness/measure.js';
import { throughput } from './throughput.js';

/** Every measure, in the order of the table in README.md. */
export const measures: readonly Measure[] = [throughput];
