import { readFileSync } from 'node:fs';
import { VERSION } from './version.js';

it('the version is package.json’s', () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  expect(VERSION).toBe(version);
});
