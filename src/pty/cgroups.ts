import { readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';

/** Where this process stands in the hierarchies that can limit processes, outermost last. Empty where there are none. */
export async function pidsCgroups(): Promise<string[]> {
  const [mountinfo, membership] = await Promise.all(
    ['/proc/self/mountinfo', '/proc/self/cgroup'].map((path) => readFile(path, 'utf8').catch(() => '')),
  );
  return cgroupDirectories(mountinfo ?? '', membership ?? '');
}

/** Version 2 has one hierarchy; version 1 has one for pids; a machine may have both. Limits of ancestors hold too. */
export function cgroupDirectories(mountinfo: string, membership: string): string[] {
  const memberships = membership.split('\n').map((line) => line.split(':'));
  return mountinfo.split('\n').flatMap((line) => {
    const [mount = '', filesystem = ''] = line.split(' - ');
    const [, , , root, point] = mount.split(' ');
    const [type, , options = ''] = filesystem.split(' ');
    if (root === undefined || point === undefined) return [];
    const isPids = type === 'cgroup' && options.split(',').includes('pids');
    const group = memberships.find(([hierarchy, controllers = '']) =>
      type === 'cgroup2'
        ? hierarchy === '0' && controllers === ''
        : isPids && controllers.split(',').includes('pids'),
    );
    return group ? ancestors(point, relative(root, group.slice(2).join(':'))) : [];
  });
}

/** A group outside of what is mounted, as some containers see theirs, is the mount itself as far as one can tell. */
function ancestors(mountPoint: string, path: string): string[] {
  const names = path.startsWith('..') ? [] : path.split('/').filter((name) => name !== '');
  return Array.from({ length: names.length + 1 }, (_, depth) =>
    join(mountPoint, ...names.slice(0, names.length - depth)),
  );
}
