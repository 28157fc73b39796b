import { parseCommand } from './arguments.js';
import { UsageError } from './usage-error.js';

const detachKeys = [0x1c];

describe('parseCommand', () => {
  it.each([
    ['ls', { name: 'ls', json: false }],
    ['ls --json --url http://h:1/p', { name: 'ls', json: true, url: 'http://h:1/p' }],
    ['new', { name: 'new', isDetached: false, detachKeys }],
    ['new -d --shell zsh --cwd .', { name: 'new', isDetached: true, shell: 'zsh', cwd: '.', detachKeys }],
    ['new --detach', { name: 'new', isDetached: true, detachKeys }],
    ['attach s1', { name: 'attach', id: 's1', readOnly: false, detachKeys }],
    [
      'attach --read-only --detach-keys ctrl-a,d s1',
      { name: 'attach', id: 's1', readOnly: true, detachKeys: [1, 0x64] },
    ],
    ['kill s1 s2 --url=http://h', { name: 'kill', ids: ['s1', 's2'], url: 'http://h' }],
    ['ls --help', { name: 'help' }],
    ['new --help', { name: 'help' }],
    ['attach --help', { name: 'help' }],
    ['kill --help', { name: 'help' }],
  ])('reads %s', (line, command) => {
    expect(parseCommand(line.split(' '))).toEqual(command);
  });

  it.each([
    ['ls s1', /"s1" is one argument too many/],
    ['ls --verbose', /--verbose/],
    ['ls --url', /--url/],
    ['ls --json=yes', /--json/],
    ['new s1', /"s1"/],
    ['new --read-only', /--read-only/],
    ['attach', /needs the id of a session/],
    ['attach s1 s2', /"s2"/],
    ['attach s1 -d', /-d/],
    ['attach s1 --detach-keys ctrl-1', /--detach-keys must be/],
    ['kill', /needs the id of a session/],
    ['list', /no command "list"/],
    ['', /no command ""/],
  ])('refuses %j', (line, message) => {
    expect(() => parseCommand(line.split(' '))).toThrow(UsageError);
    expect(() => parseCommand(line.split(' '))).toThrow(message);
  });
});
