import { type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import {
  type Socket,
  subprotocols,
  TerminalClient,
  type TerminalClientOptions,
} from '../client/trex-client.js';
import { type Problem } from '../src/protocol/problem.js';
import { type ClientConfig, isOfThisMachine } from '../src/config/client-config.js';
import { CommandFailed } from './command-failed.js';
import { listeners } from './listeners.js';
import { shown } from './shown.js';

/** What does not answer for so long is not there. */
const PATIENCE_MS = 10_000;
/** A session is given up to a minute to end by itself (`TREX_KILL_SECONDS`). */
const END_PATIENCE_MS = 70_000;
/** More than the list of as many sessions as there may be. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
/** Largest message of the server's: the list, again. */
const MAX_MESSAGE_BYTES = MAX_ANSWER_BYTES;
/** How long a server may take to say goodbye. */
const GOODBYE_MS = 1000;
/** A person waits. */
const RECONNECT = { firstMs: 100, mostMs: 2000 };

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A server that runs somewhere, as a client sees it. */
export class Server {
  /** Why it did not take the newest connection, if it said so. */
  lastRefusal?: CommandFailed;

  constructor(private readonly config: ClientConfig) {}

  /** Where it is, to be shown. */
  get url(): string {
    return shown(this.config.url);
  }

  /** What a person should know who has it asked, if anything. */
  get warning(): string | undefined {
    const { url, token } = this.config;
    if (token === undefined || url.startsWith('https:') || isOfThisMachine(url)) return undefined;
    return `the token goes to ${this.url} for everybody on the way to read: use https`;
  }

  /** Asks its REST API. @returns what it answers, `undefined` where that is nothing @throws {CommandFailed} */
  async ask(method: 'GET' | 'DELETE', path: string): Promise<unknown> {
    const answer = await this.request(method, path);
    if (answer.status === 204) return undefined;
    if (answer.status !== 200) throw this.refusal(answer);
    try {
      return JSON.parse(answer.body) as unknown;
    } catch {
      throw this.notTrex();
    }
  }

  /** A client that has connected. @throws {CommandFailed} */
  async connect({ reconnect = RECONNECT, handlers = {} }: ConnectOptions = {}): Promise<Connected> {
    const { WebSocket } = await import('ws');
    let ended = Promise.resolve();
    const open = (): Socket => {
      this.lastRefusal = this.stranger();
      if (this.lastRefusal) throw this.lastRefusal;
      const socket = new WebSocket(
        `${this.config.url.replace(/^http/, 'ws')}/ws`,
        subprotocols(this.config.token),
        {
          perMessageDeflate: false,
          handshakeTimeout: PATIENCE_MS,
          maxPayload: MAX_MESSAGE_BYTES,
        },
      );
      ended = new Promise((resolve) => socket.once('close', () => resolve()));
      socket.on('unexpected-response', (_, response: IncomingMessage) => {
        void this.read(response).then(
          (answer) => {
            this.lastRefusal = this.refusal(answer);
            socket.terminate();
          },
          () => socket.terminate(),
        );
      });
      return socket;
    };
    const client = new TerminalClient({ open, handlers, reconnect });
    try {
      await client.connect();
    } catch (error) {
      client.close();
      throw this.lastRefusal ?? this.unreachable((error as Error).cause ?? error);
    }
    const leave = async (): Promise<void> => {
      client.close();
      await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, GOODBYE_MS))]);
    };
    return { client, leave };
  }

  /** Why nothing came of a connection, as a sentence. */
  unreachable(error: unknown): CommandFailed {
    const { code = '', message = String(error) } = error as NodeJS.ErrnoException;
    const at = `at ${this.url}`;
    const sentences: Record<string, string> = {
      ECONNREFUSED: `no server is running ${at}: start one with \`trex serve\`, or say with --url or TREX_URL where it is`,
      ENOTFOUND: `there is no host of that name: ${this.url}`,
      EAI_AGAIN: `there is no host of that name, or no network to ask for it: ${this.url}`,
      EPROTO: `what answers ${at} does not speak TLS: is it http, not https?`,
      ECONNRESET: `the server ${at} has hung up: is it https, not http?`,
    };
    const isHttp = !code.startsWith('HPE_');
    const sentence = isHttp
      ? (sentences[code] ?? `the server ${at} cannot be reached: ${shown(message)}`)
      : `what answers ${at} does not speak HTTP`;
    return new CommandFailed(sentence, code, { cause: error });
  }

  /**
   * A token that was found, and not set for this server, is shown to nobody else's: any user may listen where the own server
   * does not. Looked up for each connection.
   */
  private stranger(): CommandFailed | undefined {
    if (!this.config.isTokenFound) return undefined;
    const { port, protocol } = new URL(this.config.url);
    const users = listeners(Number(port || (protocol === 'https:' ? 443 : 80)));
    const stranger = users.find((user) => user !== 0 && user !== process.geteuid?.());
    if (stranger === undefined) return undefined;
    return new CommandFailed(
      `what listens at ${this.url} belongs to another user (uid ${stranger}), who is not shown the token: if that is right, set TREX_TOKEN_FILE`,
    );
  }

  /** What a server's answer would not be. */
  notTrex(more = ''): CommandFailed {
    return new CommandFailed(`what answers at ${this.url} is no trex server${more}`);
  }

  private refusal({ status, headers, body }: Answer): CommandFailed {
    const { location } = headers;
    if (status >= 300 && status < 400 && location !== undefined) {
      return new CommandFailed(`the server at ${this.url} is elsewhere: it sends to ${shown(location)}`);
    }
    if (status === 401) {
      return new CommandFailed(
        this.config.token === undefined
          ? `the server at ${this.url} asks for a token: set TREX_TOKEN_FILE to the file that has it`
          : `the server at ${this.url} knows another token than the one it was shown: see TREX_TOKEN_FILE`,
      );
    }
    const problem = problemOf(body);
    if (problem) return new CommandFailed(shown(problem.detail), problem.code);
    return this.notTrex(`, or one that is not ready: HTTP ${status}`);
  }

  private async request(method: string, path: string): Promise<Answer> {
    const stranger = this.stranger();
    if (stranger) throw stranger;
    const { url, token } = this.config;
    const patienceMs = method === 'DELETE' ? END_PATIENCE_MS : PATIENCE_MS;
    let late: Error | undefined;
    // Whichever is not needed takes its time to load.
    const { request } = url.startsWith('https:') ? await import('node:https') : await import('node:http');
    try {
      const response = await new Promise<IncomingMessage>((resolve, reject) => {
        const asked = request(
          `${url}${path}`,
          {
            method,
            headers: {
              Accept: 'application/json',
              ...(token !== undefined && { Authorization: `Bearer ${token}` }),
            },
            timeout: patienceMs,
            agent: false,
          },
          resolve,
        );
        asked.on('error', reject);
        asked.on('timeout', () => {
          late = new Error(`no answer within ${patienceMs / 1000} s`);
          asked.destroy(late);
        });
        asked.end();
      });
      return await this.read(response).catch((error: Error) => {
        throw new Error(late ? late.message : `its answer broke off: ${error.message}`, { cause: error });
      });
    } catch (error) {
      throw this.unreachable(late ?? error);
    }
  }

  private async read(response: IncomingMessage): Promise<Answer> {
    const chunks: Buffer[] = [];
    let length = 0;
    for await (const chunk of response as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > MAX_ANSWER_BYTES) throw new Error('the answer is too long');
      chunks.push(chunk);
    }
    const { statusCode: status = 0, headers } = response;
    return { status, headers, body: Buffer.concat(chunks).toString() };
  }
}

export interface ConnectOptions {
  readonly handlers?: TerminalClientOptions['handlers'];
  readonly reconnect?: TerminalClientOptions['reconnect'];
}

export interface Connected {
  readonly client: TerminalClient;
  /** Says goodbye: resolves when the server has heard it. */
  readonly leave: () => Promise<void>;
}

/** RFC 9457 problem details, where a body has them. */
function problemOf(body: string): Pick<Problem, 'code' | 'detail'> | undefined {
  try {
    const { detail, code } = JSON.parse(body) as { readonly [field in keyof Problem]?: unknown };
    return typeof detail === 'string' && typeof code === 'string' ? { detail, code } : undefined;
  } catch {
    return undefined;
  }
}
