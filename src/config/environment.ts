import { closest } from 'fastest-levenshtein';
import { type AppConfig } from './app-config.js';
import { ConfigError } from './config-error.js';
import { type Machine } from './machine.js';
import { type Setting, settings } from './settings.js';
import { allowedShells, defaultShell, findShell } from './shells.js';

export type Environment = Readonly<Record<string, string | undefined>>;

/** More of a text than this helps nobody find it. */
const QUOTED_CHARACTERS = 80;

const NO_SHELL =
  'TREX_SHELL must be an absolute path: no shell was found in /etc/shells or in the usual places';

const knownNames: readonly string[] = Object.values(settings).map(({ name }) => name);

/**
 * Turns the environment into a configuration.
 * @throws {ConfigError} with every problem there is; never with the first one only.
 */
export function readEnvironment(env: Environment, machine: Machine): AppConfig {
  const problems = unknownNames(env);
  const read = <T>(setting: Setting<T>): T => readSetting(setting, env, machine, problems);

  const asked = read(settings.shell);
  const shells = allowedShells(machine, executables(read(settings.shells), machine, problems), asked);
  const config: AppConfig = {
    host: read(settings.host),
    port: read(settings.port),
    shell: chooseShell(asked, shells, env, machine, problems),
    shells,
    cwd: enterable(read(settings.cwd), machine, problems),
    maxSessions: read(settings.maxSessions),
    maxViewers: read(settings.maxViewers),
    exitedLingerSeconds: read(settings.exitedLingerSeconds),
    resumeSeconds: read(settings.resumeSeconds),
    resumeHoldSeconds: read(settings.resumeHoldSeconds),
    detachedSeconds: read(settings.detachedSeconds),
    logBytes: read(settings.logBytes),
    allowedOrigins: read(settings.allowedOrigins),
    logLevel: read(settings.logLevel),
  };
  if (problems.length > 0) throw new ConfigError(problems);
  return config;
}

function unknownNames(env: Environment): string[] {
  return Object.keys(env)
    .filter((name) => name.startsWith('TREX_') && env[name] !== undefined && !knownNames.includes(name))
    .map(
      (name) => `${shown(name)} is not a setting; did you mean ${closest(name.toUpperCase(), knownNames)}?`,
    );
}

/** The default stands in for what is refused, so that reading goes on and finds the other problems. */
function readSetting<T>(setting: Setting<T>, env: Environment, machine: Machine, problems: string[]): T {
  const text = env[setting.name];
  if (text === undefined || (text === '' && !setting.refusesEmpty)) return setting.valueByDefault(machine);
  const parsed = setting.parse(text);
  if ('value' in parsed) return parsed.value;
  problems.push(mustBe(setting, setting.accepts, parsed.refused));
  return setting.valueByDefault(machine);
}

function chooseShell(
  asked: string | undefined,
  shells: readonly string[],
  env: Environment,
  machine: Machine,
  problems: string[],
): string {
  const found =
    asked === undefined ? defaultShell(shells, env.SHELL, machine.userShell) : findShell(asked, shells);
  if (found !== undefined) return executable(found, machine, problems);
  const oneOf = `an absolute path, or the name of one of ${shells.map(shown).join(', ')}`;
  const isNone = asked === undefined || shells.length === 0;
  problems.push(isNone ? NO_SHELL : mustBe(settings.shell, oneOf, [asked]));
  return '';
}

/** Else the server would start, and every session fail. */
function executable(shell: string, machine: Machine, problems: string[]): string {
  if (!machine.mayExecute(shell)) {
    problems.push(mustBe(settings.shell, 'a file that the server may execute', [shell]));
  }
  return shell;
}

/** As {@link executable}. */
function executables(shells: readonly string[], machine: Machine, problems: string[]): readonly string[] {
  const unusable = shells.filter((shell) => !machine.mayExecute(shell));
  if (unusable.length > 0) {
    problems.push(mustBe(settings.shells, 'files that the server may execute', unusable));
  }
  return shells;
}

/** As {@link executable}. */
function enterable(cwd: string, machine: Machine, problems: string[]): string {
  if (!machine.mayEnter(cwd)) {
    problems.push(mustBe(settings.cwd, 'a directory that the server may enter', [cwd]));
  }
  return cwd;
}

function mustBe(setting: Setting<unknown>, what: string, got: readonly string[]): string {
  return `${setting.name} must be ${what}, got ${got.map((text) => `"${shown(text)}"`).join(', ')}`;
}

/** As in a string literal, so that no text can act on the terminal it is shown on. */
function shown(text: string): string {
  const short = text.length > QUOTED_CHARACTERS ? `${text.slice(0, QUOTED_CHARACTERS)}…` : text;
  return JSON.stringify(short)
    .slice(1, -1)
    .replace(/[\x7f-\x9f]/g, (control) => `\\u00${control.charCodeAt(0).toString(16)}`);
}
