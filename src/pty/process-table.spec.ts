import { parseStat, readProcess, readProcesses } from './process-table.js';

/** Fields from the state on, as proc(5) numbers them: 3 is the state, 5 the group, 6 the session, 20 the threads, 22 the start. */
function statOf(command: string, { state = 'S', session = 77, threads = 1 } = {}): string {
  const fields = Array.from({ length: 50 }, (_, index) => String(index + 3));
  fields[0] = state;
  fields[3] = String(session);
  fields[17] = String(threads);
  return `12 (${command}) ${fields.join(' ')}\n`;
}

describe('the process table', () => {
  it.each(['sh', 'a b', 'a) S 1 1 1 (b', ')', '', 'new\nline'])(
    'reads the entry of a command named %j',
    (command) => {
      expect(parseStat(12, statOf(command))).toEqual({ pid: 12, group: 5, session: 77, startTime: '22' });
    },
  );

  it.each(['Z', 'X', 'x'])('counts a process in state %s as gone', (state) => {
    expect(parseStat(12, statOf('sh', { state }))).toBeUndefined();
  });

  it('counts a process as living whose first thread has ended before the others', () => {
    expect(parseStat(12, statOf('sh', { state: 'Z', threads: 2 }))).toBeDefined();
  });

  it('takes an entry cut short for none', () => {
    expect(parseStat(12, '')).toBeUndefined();
    expect(parseStat(12, '12 (sh) S 1 1')).toBeUndefined();
  });

  it('holds this process, as it is read by itself', async () => {
    const self = readProcess(process.pid);
    expect(self?.pid).toBe(process.pid);
    expect(await readProcesses()).toContainEqual(self);
  });

  it('has no entry for a process that does not exist', () => {
    expect(readProcess(2 ** 30)).toBeUndefined();
  });
});
