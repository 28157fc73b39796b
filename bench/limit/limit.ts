import { execFileSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { type Figures } from '../harness/figures.js';

const SOURCE = resolve(__dirname, '../../../bench/limit/pty-limit.c');
const RUN_MS = 120_000;

/** The C program that reads a terminal and does nothing else. */
export class KernelLimit {
  private constructor(private readonly program: string) {}

  /** @returns nothing when there is no compiler, or it cannot compile this. */
  static compile(folder: string): KernelLimit | undefined {
    const program = join(folder, 'pty-limit');
    try {
      execFileSync('cc', ['-O2', '-o', program, SOURCE, '-lutil'], { stdio: 'ignore', timeout: RUN_MS });
      return new KernelLimit(program);
    } catch {
      return undefined;
    }
  }

  /** @returns what throughput tells of a server, CPU in seconds per 100 MB */
  read(file: string): Figures {
    const text = execFileSync(this.program, [file], { encoding: 'utf8', timeout: RUN_MS });
    const [bytes = NaN, seconds = NaN, cpuSeconds = NaN] = text.split(' ').map(Number);
    return { 'MB/s': bytes / 1e6 / seconds, 'server CPU': (cpuSeconds * 1e8) / bytes };
  }
}
