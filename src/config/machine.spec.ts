import { type MachineSource, readMachine } from './machine.js';

/** A machine whose executables are given as path → the file it leads to. */
function machineWith({
  files = {},
  ...said
}: {
  files?: Record<string, string>;
  etcShells?: string;
  home?: string;
  userShell?: string;
}): MachineSource {
  return {
    home: () => said.home,
    userShell: () => said.userShell,
    etcShells: () => said.etcShells,
    executable: (path) => files[path],
  };
}

/** The usual Linux of today, where /bin is a link to /usr/bin. */
function mergedUsr(names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => [
      [`/bin/${name}`, `/usr/bin/${name}`],
      [`/usr/bin/${name}`, `/usr/bin/${name}`],
    ]),
  );
}

describe('readMachine', () => {
  it('offers what /etc/shells names and can be executed', () => {
    const { shells } = readMachine(
      machineWith({
        etcShells: '# valid login shells\n/bin/sh\n\n  /bin/bash  # the usual\n/bin/gone\nbash\n',
        files: { '/bin/sh': '/bin/dash', '/bin/bash': '/bin/bash', bash: '/bin/bash' },
      }),
    );

    expect(shells).toEqual(['/bin/sh', '/bin/bash']);
  });

  it('leaves out what is not for typing commands', () => {
    const names = ['bash', 'nologin', 'false', 'git-shell', 'tmux', 'screen', 'rbash'];
    const etcShells = names.map((name) => `/usr/bin/${name}`).join('\n');

    expect(readMachine(machineWith({ etcShells, files: mergedUsr(names) })).shells).toEqual([
      '/usr/bin/bash',
      '/usr/bin/rbash',
    ]);
  });

  it('names a program once, by its shortest path', () => {
    const etcShells = '/usr/bin/bash\n/bin/bash\n/bin/zsh\n/usr/bin/zsh\n/bin/bash\n';

    expect(readMachine(machineWith({ etcShells, files: mergedUsr(['bash', 'zsh']) })).shells).toEqual([
      '/bin/bash',
      '/bin/zsh',
    ]);
  });

  it('keeps sh beside bash where one is a link to the other', () => {
    const files = { '/bin/sh': '/usr/bin/bash', '/bin/bash': '/usr/bin/bash' };

    expect(readMachine(machineWith({ etcShells: '/bin/sh\n/bin/bash\n', files })).shells).toEqual([
      '/bin/sh',
      '/bin/bash',
    ]);
  });

  it.each([
    ['is missing', undefined],
    ['names nothing usable', '/bin/gone\n/usr/bin/tmux\n'],
  ])('looks in the usual places when /etc/shells %s', (_, etcShells) => {
    const files = mergedUsr(['bash', 'zsh', 'sh', 'tmux']);

    expect(readMachine(machineWith({ ...(etcShells && { etcShells }), files })).shells).toEqual([
      '/bin/bash',
      '/bin/zsh',
      '/bin/sh',
    ]);
  });

  it('finds no shell where there is none', () => {
    expect(readMachine(machineWith({})).shells).toEqual([]);
  });

  it("passes on the account's home and shell", () => {
    const machine = readMachine(machineWith({ home: '/home/ada', userShell: '/bin/zsh' }));

    expect(machine).toMatchObject({ home: '/home/ada', userShell: '/bin/zsh' });
  });

  it.each([undefined, '', 'relative'])('starts at the root when home is %j', (home) => {
    expect(readMachine(machineWith({ ...(home !== undefined && { home }) })).home).toBe('/');
  });

  it('reads the machine it runs on', () => {
    const machine = readMachine();

    expect(machine.home).toMatch(/^\//);
    expect(machine.shells.length).toBeGreaterThan(0);
  });
});
