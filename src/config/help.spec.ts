import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CLIENT_COMMANDS, clientHelpText } from './client-help.js';
import { helpText } from './help.js';
import { settings } from './settings.js';

const readme = readFileSync(join(__dirname, '../../README.md'), 'utf8');

describe('helpText', () => {
  const help = helpText('1.2.3');
  const unwrapped = help.replace(/\n +/g, ' ');

  it('begins with what this is and how to run it', () => {
    expect(help.split('\n').slice(0, 4)).toEqual([
      'trex 1.2.3: a multi-session terminal server',
      '',
      'Usage: [TREX_…=value …] trex [serve | token [--read-only]] [--help | --version]',
      '       [TREX_…=value …] trex (ls | new | attach ID | kill ID …) [--help | OPTION …]',
    ]);
  });

  it.each(Object.values(settings))('says what $name means, takes and is by default', (setting) => {
    expect(unwrapped).toContain(
      `${setting.name} ${setting.meaning} Takes ${setting.accepts}. Default: ${setting.byDefault}.`,
    );
  });

  it.each(Object.values(settings))(
    'leaves $name and its default to be read in the README, too',
    (setting) => {
      const row = readme
        .split('\n')
        .find((line) => line.startsWith('|') && line.includes(`\`${setting.name}\``));
      const told = row?.split('|')[2]?.trim().split(', ') ?? [];
      const said = { 'your own shell': 'yours', 'your home directory': 'your home' };
      const { byDefault } = setting;
      expect(told).toContain(said[byDefault as keyof typeof said] ?? byDefault);
    },
  );

  it('has all that the commands say of themselves that ask a running server', () => {
    const own = clientHelpText('1.2.3').split('\n').slice(1);
    expect(help).toContain(own.join('\n'));
    for (const command of CLIENT_COMMANDS) expect(own.join('\n')).toContain(`  trex ${command} `);
  });

  it('fits into 100 columns and ends its last line', () => {
    expect(Math.max(...help.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
    expect(help).toMatch(/[^\n]\n$/);
  });
});
