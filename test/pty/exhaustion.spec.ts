import { type Ended, NOBODY_ELSE, Programs } from './support/programs.js';

describe('T37: a server that runs out of what sessions need', () => {
  let programs: Programs;
  beforeAll(() => (programs = new Programs()));
  afterAll(() => programs.dispose());

  function reported({ code, signal, output }: Ended): { started: number; code: string; message: string } {
    // An abort by node-pty's thread ends with SIGABRT, and says so here.
    expect({ code, signal, output }).toEqual({
      code: 0,
      signal: null,
      output: expect.stringMatching(/^\{.*\}$/) as string,
    });
    return JSON.parse(output) as { started: number; code: string; message: string };
  }

  it('refuses sessions for want of descriptors, and starts them again once some are closed', async () => {
    const report = reported(await programs.run('until-refused', { first: 'ulimit -n 80' }));
    expect(report.code).toBe('SESSION_LIMIT');
    expect(report.message).toMatch(/file descriptors \(RLIMIT_NOFILE\).*\d+ of 80/);
    expect(report.started).toBeGreaterThan(20);
  }, 30_000);

  // The limit does not bind root.
  const asRoot = process.getuid?.() === 0 ? it : it.skip;
  asRoot(
    'refuses sessions for want of processes instead of aborting (needs root)',
    async () => {
      const first = 'ulimit -u 60 2>/dev/null || ulimit -p 60';
      const report = reported(await programs.run('until-refused', { first, uid: NOBODY_ELSE }));
      expect(report.code).toBe('SESSION_LIMIT');
      expect(report.message).toMatch(/processes of this user \(RLIMIT_NPROC\).*\d+ of 60/);
      expect(report.started).toBeGreaterThan(8);
    },
    30_000,
  );
});
