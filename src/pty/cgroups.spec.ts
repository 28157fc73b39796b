import { cgroupDirectories } from './cgroups.js';

const V2 = '35 24 0:30 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate';
const V1_PIDS = '40 30 0:35 / /sys/fs/cgroup/pids rw,nosuid - cgroup cgroup rw,pids';
const V1_CPU = '41 30 0:36 / /sys/fs/cgroup/cpu rw,nosuid - cgroup cgroup rw,cpu,cpuacct';

describe('the control groups that limit processes', () => {
  it('are, in version 2, the own one and all above it', () => {
    expect(cgroupDirectories(V2, '0::/system.slice/trex.service\n')).toEqual([
      '/sys/fs/cgroup/system.slice/trex.service',
      '/sys/fs/cgroup/system.slice',
      '/sys/fs/cgroup',
    ]);
  });

  it('are, in version 1, those of the hierarchy for pids', () => {
    expect(cgroupDirectories([V1_CPU, V1_PIDS].join('\n'), '9:cpu,cpuacct:/a\n8:pids:/b\n')).toEqual([
      '/sys/fs/cgroup/pids/b',
      '/sys/fs/cgroup/pids',
    ]);
  });

  it('are those of both where both are mounted', () => {
    expect(cgroupDirectories([V1_PIDS, V2].join('\n'), '8:pids:/b\n0::/\n')).toEqual([
      '/sys/fs/cgroup/pids/b',
      '/sys/fs/cgroup/pids',
      '/sys/fs/cgroup',
    ]);
  });

  it('are found where a container has only its own part mounted', () => {
    const mount = V2.replace(' / /sys', ' /docker/1234 /sys');
    expect(cgroupDirectories(mount, '0::/docker/1234/inner\n')).toEqual([
      '/sys/fs/cgroup/inner',
      '/sys/fs/cgroup',
    ]);
    expect(cgroupDirectories(mount, '0::/elsewhere\n')).toEqual(['/sys/fs/cgroup']);
  });

  it('may have a colon in their names', () => {
    expect(cgroupDirectories(V2, '0::/a:b\n')).toEqual(['/sys/fs/cgroup/a:b', '/sys/fs/cgroup']);
  });

  it('are none where nothing is mounted or nothing can be read', () => {
    expect(cgroupDirectories('', '')).toEqual([]);
    expect(cgroupDirectories(V1_CPU, '9:cpu,cpuacct:/a\n')).toEqual([]);
    expect(cgroupDirectories(V2, '')).toEqual([]);
  });
});
