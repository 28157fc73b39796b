import { resolve } from 'node:path';
import { type Command, parseCommand } from './arguments.js';
import { Attachment } from './attachment.js';
import { CommandFailed, failureOf, startFailure } from './command-failed.js';
import { type ClientConfig, readClientConfig } from '../src/config/client-config.js';
import { clientHelpText } from '../src/config/client-help.js';
import { ConfigError } from '../src/config/config-error.js';
import { type Environment } from '../src/config/environment.js';
import { EXIT, failureCode } from '../src/config/exit.js';
import { readMachine } from '../src/config/machine.js';
import { VERSION } from '../src/config/version.js';
import {
  type CreateOptions,
  type ErrorMessage,
  type RemoteSession,
  type SessionHandlers,
  type SessionInfo,
  type TerminalClient,
} from '../client/trex-client.js';
import { SESSION_ID } from '../src/protocol/session-id.js';
import { Output, STDERR } from './output.js';
import { sizeOfTerminal } from './own-terminal.js';
import { Server } from './server.js';
import { shown, shownJson } from './shown.js';
import { sessionTable } from './table.js';
import { UsageError } from './usage-error.js';

/** As shells tell of a program that SIGPIPE ended. */
const BROKEN_PIPE = 141;

const LOST_CREATING = 'the connection was lost before the session was there: see `trex ls` whether it is';
const DEFAULT_SIZE = { cols: 80, rows: 24 };

/** Runs a command of those that ask a running server. @returns its exit code */
export async function run(args: readonly string[], env: Environment): Promise<number> {
  let lost: NodeJS.ErrnoException | undefined;
  const output = new Output((error) => (lost = error));
  const code = await command(args, env, output);
  await output.flushed();
  if (!lost) return code;
  if (lost.code === 'EPIPE') return BROKEN_PIPE;
  output.write(`trex: the output cannot be written: ${lost.message}\n`, undefined, STDERR);
  await output.flushed();
  return EXIT.failure;
}

async function command(args: readonly string[], env: Environment, output: Output): Promise<number> {
  const complain = (code: number, lines: readonly string[]): number => {
    output.write(lines.map((line) => `trex: ${line}\n`).join(''), undefined, STDERR);
    return code;
  };
  const [name] = args;
  try {
    const asked = parseCommand(args);
    if (asked.name === 'help') {
      output.write(clientHelpText(VERSION));
      return EXIT.ok;
    }
    return await carryOut(asked, readClientConfig(env, readMachine(), asked.url), output);
  } catch (error) {
    if (error instanceof UsageError)
      return complain(EXIT.usage, [shown(error.message), `See trex ${name} --help.`]);
    if (error instanceof ConfigError) return complain(EXIT.config, [...error.problems, 'See --help.']);
    const code = failureCode(name);
    if (error instanceof CommandFailed) return complain(code, [error.message]);
    const [what, ...where] = ((error as Error).stack ?? String(error)).split('\n');
    return complain(code, [`a bug: ${shown(what ?? '')}`, ...where.map((line) => shown(line))]);
  }
}

async function carryOut(
  asked: Exclude<Command, { name: 'help' }>,
  config: ClientConfig,
  output: Output,
): Promise<number> {
  const server = new Server(config);
  if (server.warning) output.write(`trex: ${server.warning}\n`, undefined, STDERR);
  switch (asked.name) {
    case 'ls':
      output.write(await list(server, asked.json));
      return EXIT.ok;
    case 'kill':
      return kill(server, asked.ids, output);
    case 'attach': {
      const { id, readOnly } = asked;
      if (!SESSION_ID.test(id)) throw new CommandFailed(noSession(id));
      const attachment = new Attachment(server, asked);
      return attachment.run((client, handlers) => client.attach(id, handlers, { readOnly }));
    }
    case 'new': {
      const { shell, cwd } = asked;
      const wanted = {
        persistent: true,
        ...(shell !== undefined && { shell }),
        ...(cwd !== undefined && { cwd: resolve(cwd) }),
      };
      if (asked.isDetached) {
        output.write(`${await createDetached(server, wanted)}\n`);
        return EXIT.ok;
      }
      const attachment = new Attachment(server, { ...asked, readOnly: false });
      return attachment.run((client, handlers, size = DEFAULT_SIZE) =>
        client.create(handlers, { ...wanted, ...size }),
      );
    }
  }
}

async function list(server: Server, json: boolean): Promise<string> {
  const sessions = await server.ask('GET', '/api/sessions');
  if (!Array.isArray(sessions)) throw server.notTrex();
  if (json) return `${shownJson(sessions)}\n`;
  const columns = sizeOfTerminal()?.cols;
  return sessionTable(sessions.map(sessionOf), Date.now(), columns);
}

/** What a table needs of it, whatever it is. */
function sessionOf(told: unknown): SessionInfo {
  const fields = { ...(told as Record<string, unknown>) };
  const text = (name: string): string => (typeof fields[name] === 'string' ? fields[name] : '?');
  return {
    id: text('id'),
    name: text('name'),
    shellType: text('shellType'),
    status: text('status') as SessionInfo['status'],
    createdAt: text('createdAt'),
    persistent: fields.persistent === true,
    cwd: text('cwd'),
    ...(typeof fields.title === 'string' && { title: fields.title }),
    ...(typeof fields.exitCode === 'number' && { exitCode: fields.exitCode }),
    ...(typeof fields.signal === 'string' && { signal: fields.signal }),
  };
}

/** All of them, whatever becomes of the others. */
async function kill(server: Server, ids: readonly string[], output: Output): Promise<number> {
  let code = EXIT.ok;
  for (const id of new Set(ids)) {
    try {
      if (!SESSION_ID.test(id)) throw new CommandFailed(noSession(id));
      await server.ask('DELETE', `/api/sessions/${id}`);
    } catch (error) {
      if (!(error instanceof CommandFailed)) throw error;
      const sentence = error.code === 'SESSION_NOT_FOUND' ? noSession(id) : error.message;
      output.write(`trex: ${sentence}\n`, undefined, STDERR);
      code = EXIT.failure;
    }
  }
  return code;
}

/** @returns the id of a session whose process has started */
async function createDetached(server: Server, wanted: CreateOptions): Promise<string> {
  let lost: (why: Error) => void = () => undefined;
  const losing = new Promise<never>((_, failed) => (lost = failed));
  losing.catch(() => undefined);
  const { client, leave } = await server.connect({
    // A session that nobody was told of would stay: better not to know than to make another.
    reconnect: false,
    handlers: {
      state: (state) => {
        if (state === 'closed') lost(new CommandFailed(LOST_CREATING));
      },
    },
  });
  try {
    return await Promise.race([
      losing,
      startedSession(client, { ...DEFAULT_SIZE, ...sizeOfTerminal(), ...wanted }),
    ]);
  } finally {
    await leave();
  }
}

function startedSession(client: TerminalClient, wanted: CreateOptions): Promise<string> {
  return new Promise((started, failed) => {
    let why: ErrorMessage | undefined;
    const handlers: SessionHandlers = {
      output: (...[, , consumed]) => consumed(),
      error: (error) => (why = error),
      exit: ({ cause }) => {
        if (cause === 'failed') failed(startFailure(why));
      },
    };
    const watch = ({ id }: RemoteSession): void => {
      const look = (session?: SessionInfo): void => {
        if (!session) failed(new CommandFailed(`the session ${shown(id)} is gone already`));
        else if (session.status !== 'connecting') started(shown(id));
      };
      client.watch({
        sessions: (list) => look(list.find((session) => session.id === id)),
        changed: (_, changed, session) => changed === id && look(session),
      });
    };
    client.create(handlers, wanted).then(watch, (error: unknown) => failed(failureOf(error)));
  });
}

function noSession(id: string): string {
  return `there is no session ${shown(id)}: see \`trex ls\``;
}
