import { transformFileSync } from '@swc/core';
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Machine, type MachineSource, readMachine, type SecretFile } from './machine.js';

/** Somebody who owns nothing here, and a group in which nobody is. */
const NOBODY = 65_534;
const SHARED_GROUP = 54_321;

/** Only root can be somebody else. */
const asRoot = process.getuid?.() === 0 ? it : it.skip;

/** What is tested, for a process of another user. */
function machineCode(): string {
  const parser = { syntax: 'typescript' } as const;
  const options = { swcrc: false, module: { type: 'commonjs' }, jsc: { parser, target: 'es2023' } } as const;
  return transformFileSync(join(__dirname, 'machine.ts'), options).code;
}

/** A machine whose executables are given as path → the file it leads to, and its directories as they are. */
function machineWith({
  files = {},
  directories = [],
  ...said
}: {
  files?: Record<string, string>;
  directories?: readonly string[];
  etcShells?: string;
  home?: string;
  userShell?: string;
}): MachineSource {
  return {
    home: () => said.home,
    userShell: () => said.userShell,
    etcShells: () => said.etcShells,
    executable: (path) => files[path],
    directory: (path) => (directories.includes(path) ? path : undefined),
    file: () => undefined,
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
    const machine = readMachine(
      machineWith({ home: '/home/ada', userShell: '/bin/zsh', directories: ['/home/ada'] }),
    );

    expect(machine).toMatchObject({ home: '/home/ada', userShell: '/bin/zsh' });
  });

  it('knows which files it may execute and which directories it may enter', () => {
    const machine = readMachine(machineWith({ files: { '/opt/nu': '/opt/nu' }, directories: ['/srv'] }));

    expect(machine.mayExecute('/opt/nu')).toBe(true);
    expect(machine.mayExecute('/opt/gone')).toBe(false);
    expect(machine.directory('/srv')).toBe('/srv');
    expect(machine.directory('/gone')).toBeUndefined();
  });

  it.each([undefined, '', 'relative', '/nonexistent'])('starts at the root when home is %j', (home) => {
    expect(readMachine(machineWith({ ...(home !== undefined && { home }) })).home).toBe('/');
  });

  it('reads the machine it runs on', () => {
    const machine = readMachine();

    expect(machine.home).toMatch(/^\//);
    expect(machine.shells.length).toBeGreaterThan(0);
    for (const [path, isFile, isDirectory] of [
      [process.execPath, true, false],
      ['/', false, true],
      ['/etc/passwd', false, false],
      ['/nonexistent', false, false],
    ] as const) {
      expect([path, machine.mayExecute(path), machine.directory(path)]).toEqual([
        path,
        isFile,
        isDirectory ? path : undefined,
      ]);
    }
  });

  describe('T11 · a file with a secret', () => {
    let folder: string;
    beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'trex-secret-'))));
    afterEach(() => rmSync(folder, { recursive: true }));

    function secret(mode: number, text = 'secret'): string {
      const path = join(folder, 'secret');
      writeFileSync(path, text);
      chmodSync(path, mode);
      return path;
    }

    function read(file: Omit<SecretFile, 'isFile' | 'text'>): ReturnType<Machine['readSecret']> {
      const source = { ...machineWith({}), file: () => ({ ...file, isFile: true, text: 'secret' }) };
      return readMachine(source).readSecret('/run/secret');
    }

    it('is read when nobody but its owner can read or change it', () => {
      for (const mode of [0o600, 0o400, 0o700]) {
        expect(readMachine().readSecret(secret(mode))).toEqual({ text: 'secret' });
        rmSync(join(folder, 'secret'));
      }
    });

    it.each([0o644, 0o640, 0o604, 0o660, 0o602, 0o610])('is refused with mode %o', (mode) => {
      expect(readMachine().readSecret(secret(mode))).toEqual({ refused: 'is open to others: chmod 600 it' });
    });

    it('is refused where there is none, or something else', () => {
      expect(readMachine().readSecret(join(folder, 'gone'))).toEqual({ refused: 'cannot be read' });
      expect(readMachine().readSecret(folder)).toEqual({ refused: 'is no file' });
      expect(readMachine().readSecret('/dev/null')).toEqual({ refused: 'is no file' });
    });

    it('is refused when somebody else owns it', () => {
      for (const isOfOwnGroup of [false, true]) {
        expect(read({ mode: 0o400, owner: 'other', isOfOwnGroup })).toEqual({
          refused: 'belongs to somebody else',
        });
      }
    });

    it('may be read by a group of the user’s that root has shared it with, as a volume of Kubernetes does', () => {
      for (const mode of [0o440, 0o640, 0o400]) {
        expect(read({ mode, owner: 'root', isOfOwnGroup: true })).toEqual({ text: 'secret' });
      }
    });

    asRoot('is read so by the user that it was shared with', () => {
      const path = secret(0o440);
      chmodSync(folder, 0o755);
      const readAs = (gid: number): string => {
        const code = `${machineCode()}\nconsole.log(JSON.stringify(readMachine().readSecret(process.argv[2])))`;
        return execFileSync(process.execPath, ['-', path], {
          uid: NOBODY,
          gid,
          cwd: '/',
          input: code,
        }).toString();
      };
      chownSync(path, 0, SHARED_GROUP);
      expect(JSON.parse(readAs(SHARED_GROUP))).toEqual({ text: 'secret' });
      expect(JSON.parse(readAs(NOBODY))).toEqual({ refused: 'cannot be read' });
      chmodSync(path, 0o444);
      expect(JSON.parse(readAs(NOBODY))).toEqual({ refused: 'is open to others: chmod 600 it' });
    });

    it.each([0o444, 0o644, 0o460, 0o450, 0o442, 0o441])('of root’s is refused with mode %o', (mode) => {
      const refused = 'is open to others: chmod 440 it';
      expect(read({ mode, owner: 'root', isOfOwnGroup: true })).toEqual({ refused });
    });

    it('is refused where a group may read it that is not the user’s, or that the user shared it with', () => {
      const refused = 'is open to others: chmod 600 it';
      expect(read({ mode: 0o440, owner: 'root', isOfOwnGroup: false })).toEqual({ refused });
      expect(read({ mode: 0o440, owner: 'user', isOfOwnGroup: true })).toEqual({ refused });
    });
  });
});
