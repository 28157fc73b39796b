import { type ReturningClient, type Talk } from '../../bench/clients/returning-client.js';
import { type CuttingProxy } from '../support/cutting-proxy.js';
import { type ServerUnderTest } from './server-under-test.js';
import { type Watcher } from './watcher.js';

/** What one run has come to, by name; what is not there was not measured. */
export interface Figures {
  seconds: number;
  sessions: number;
  bytesChecked: number;
  resumes: number;
  gaps: number;
  gapBytes: number;
  inputBytes: number;
  echoes: number;
  faults: number;
  [more: string]: number;
}

/** What the server held at a moment of a load, once its garbage was collected. */
export interface Sample {
  readonly hours: number;
  readonly sessions: number;
  readonly heapAndBuffers: number;
  /** All that is resident, native memory too. */
  readonly rss: number;
  readonly descriptors: number;
}

/** How fast it may grow, with 95 % certainty: by so many bytes in so many hours, or sessions. */
export interface Growth {
  readonly per: 'hours' | 'sessions';
  readonly units: number;
  readonly atMostBytes: number;
  /** The same of all that is resident, where V8 has no reason to take more and more. */
  readonly residentAtMostBytes?: number;
  /** Over less than this it is not judged: it has hardly done everything once. */
  readonly least: number;
}

/** What a load and a fault work on; both add to it. */
export interface Run {
  readonly server: ServerUnderTest;
  /** Before the server; every client of `trex.v2` comes through it. */
  readonly proxy: CuttingProxy;
  /** Where those of `trex.v1` come in, which cannot come back: by the proxy too, unless it is to cut them off. */
  watchersPort: number;
  readonly seconds: number;
  /** The same numbers for the same seed. */
  readonly random: () => number;
  readonly figures: Figures;
  readonly clients: ReturningClient[];
  readonly talks: Talk[];
  readonly watchers: Watcher[];
  /** Milliseconds from a key to its echo, at the server and at the bare one beside it. */
  readonly echoMs: number[];
  readonly probeMs: number[];
  /** Of keys that waited behind what is late, because this machine could do no more. */
  readonly lateEchoMs: number[];
  /** Whether less has come than was to be printed by now, and no processor has time left. */
  isLate: boolean;
  readonly samples: Sample[];
  readonly growth?: Growth;
  /** What all talkers together are to print. */
  bytesPerSecond?: number;
  /** What could not be judged, in words. */
  readonly notes: string[];
  /** What was found to be wrong, in words. */
  readonly problems: string[];
  /** Sessions that a fault ends before their time, and how. */
  readonly endedByFault: Set<Talk>;
  /** The server has been ended by a fault: what only a server that lives can be asked is not. */
  isServerGone: boolean;
  /** Nothing more is to be begun. */
  isOver: boolean;
}

/** What goes on for a while. */
export interface Load {
  /** Resolves when all of it is under way. */
  begin(run: Run): Promise<void>;
  /** Resolves when nothing more is to come of it; without this, it goes on until it is ended. */
  done?(): Promise<void>;
  /** Ends it, and checks all it can. */
  end(run: Run): Promise<void>;
}

/** What goes wrong meanwhile. */
export type Fault = (run: Run) => Promise<void>;
