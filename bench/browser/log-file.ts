import { plainLine, type Random, type WorkloadFile, writeFile } from '../harness/workload.js';

const DIM = '\x1b[2m';
const YELLOW = '\x1b[33m';
const BOLD_RED = '\x1b[1;31m';
const PLAIN = '\x1b[0m';

/** Writes a server's log, a third of its lines in colour: about so many bytes, whole lines, the same in every run. */
export function writeLog(path: string, bytes: number): WorkloadFile {
  return writeFile(path, logLine, bytes);
}

function logLine(n: number, random: Random): string {
  return plainLine(n, random).replace(/^(\S+) (WARN |ERROR)/, (_, time: string, level: string) => {
    return `${DIM}${time}${PLAIN} ${level === 'ERROR' ? BOLD_RED : YELLOW}${level}${PLAIN}`;
  });
}
