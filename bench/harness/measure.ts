import { type Protocol } from '../clients/protocol.js';
import { type KernelLimit } from '../limit/limit.js';
import { type Figures } from './figures.js';
import { type Workload } from './workload.js';

/** What is to be reached; without one, a figure is for information. */
export type Goal = { readonly atLeast: number } | { readonly atMost: number };

/** One line of the report. */
export interface Row {
  readonly figure: string;
  readonly goal?: Goal;
}

/** One line of the table in README.md: in one file, with the `client` function that its clients' processes run. */
export interface Measure {
  /** The file's, without `.ts`; what `--only` takes. */
  readonly name: string;
  /** What is measured and in which unit. */
  readonly about: string;
  readonly repetitions: number;
  /** Whether the bench fails when a repetition falls short. */
  readonly mustReach?: boolean;
  /** Figures without a row are not told. */
  readonly rows: readonly Row[];
  /** What cannot be measured is left out. */
  repeat(bench: Bench, repetition: number): Promise<Figures>;
}

export interface Bench {
  /** What the servers at hand speak. */
  readonly protocols: readonly Protocol[];
  readonly workload: Workload;
  readonly limit?: KernelLimit;
  /**
   * A fresh server, and a fresh process that runs `client` of the measure's file with what is `given`. `hooks`: modules
   * that are loaded into the server before its own code. `settings`: of the server, beside the usual ones.
   */
  run(
    measure: string,
    protocol: Protocol,
    given?: unknown,
    hooks?: readonly string[],
    settings?: Readonly<Record<string, string>>,
  ): Promise<Figures>;
}
