import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chownSync,
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { request, type IncomingMessage } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withUs } from '../../bench/harness/children.js';
import { PATIENCE_MS, until } from '../support/until.js';

/** What the remote hand in a server is asked. */
export interface Question {
  readonly number: number;
  /** To do nothing for so long. */
  readonly stallMs?: number;
  /** To have the wall clock go wrong by so much, from now on. */
  readonly jumpMs?: number;
  /** To collect its garbage first. */
  readonly collects?: boolean;
  /** To measure the delay of its event loop anew. */
  readonly resets?: boolean;
}

export interface Answer {
  readonly loopP99Ms: number;
  readonly loopMaxMs: number;
  readonly heapAndBuffers: number;
  readonly resources: Readonly<Record<string, number>>;
}

export interface Circumstances {
  readonly settings?: Readonly<Record<string, string>>;
  /** For /bin/sh, before the server takes its place: limits, for instance. */
  readonly first?: string;
  readonly uid?: number;
  /** The file that its log goes to; without it, it is read here. */
  readonly logTo?: string;
}

/** The built server in a process of its own, as a person starts it, but for a remote hand. */
export class ServerUnderTest {
  /** Its own: home of its shells, by which everything is found that was started there. */
  readonly folder = mkdtempSync(join(tmpdir(), 'trex-reliability-'));
  stderr = '';
  log = '';
  port = 0;
  private child?: ChildProcess;
  private questions = 0;

  private constructor(private readonly circumstances: Circumstances) {}

  static async start(circumstances: Circumstances = {}): Promise<ServerUnderTest> {
    const server = new ServerUnderTest(circumstances);
    try {
      await server.begin();
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  }

  get pid(): number {
    return this.child?.pid ?? NaN;
  }

  get exit(): { readonly code: number | null; readonly signal: NodeJS.Signals | null } | undefined {
    const { exitCode: code = null, signalCode: signal = null } = this.child ?? {};
    return code === null && signal === null ? undefined : { code, signal };
  }

  /** Again, after its end, on the port it had. */
  async begin(): Promise<void> {
    const { settings, first = ':', uid, logTo } = this.circumstances;
    // Whose log nobody reads cannot say which it has taken; what is free now may be somebody else's by then.
    if (this.port === 0 && logTo !== undefined) this.port = await freePort();
    const hook = join(__dirname, 'hooks/remote-hand.js');
    const args = ['--expose-gc', ...(uid === undefined ? ['--require', hook] : []), builtServer()];
    if (uid !== undefined) chownSync(this.folder, uid, uid);
    const log = logTo === undefined ? 'pipe' : openSync(logTo, 'w');
    const child = spawn('/bin/sh', ['-c', `${first}; exec "$0" "$@"`, process.execPath, ...args], {
      cwd: '/',
      env: {
        PATH: process.env.PATH,
        HOME: this.folder,
        SHELL: '/bin/sh',
        TREX_PORT: String(this.port),
        TREX_PAGE: 'off',
        TREX_METRICS: 'on',
        TREX_CREATE_BURST: '10000',
        TREX_MAX_SESSIONS: '128',
        TREX_MAX_CONNECTIONS: '256',
        TREX_MAX_CONNECTIONS_PER_PEER: '256',
        RELIABILITY_FOLDER: this.folder,
        ...settings,
      },
      stdio: ['ignore', log, 'pipe'],
      ...(uid === undefined ? {} : { uid, gid: uid }),
    });
    if (typeof log === 'number') closeSync(log);
    this.child = withUs(child);
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.log += text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    const isListening = async (): Promise<boolean> => {
      this.port ||= Number(/is listening on http:\/\/[^ ]+:(\d+)/.exec(this.log)?.[1] ?? 0);
      if (this.port === 0) return false;
      return (await this.get('/api/health').catch(() => '')).includes('"ok"');
    };
    await until(
      async () => this.exit !== undefined || (await isListening()),
      'the server listens',
      2 * PATIENCE_MS,
    );
    if (this.exit) throw new Error(`the server ended instead of listening: ${this.log}${this.stderr}`);
  }

  signal(signal: NodeJS.Signals): void {
    this.child?.kill(signal);
  }

  /** Nobody reads its log any more. */
  hangUpLog(): void {
    this.child?.stdout?.destroy();
  }

  /** @returns after how many milliseconds it had ended */
  async ended(): Promise<number> {
    const begun = performance.now();
    if (this.child && !this.exit) await once(this.child, 'exit');
    return performance.now() - begun;
  }

  /** Ends it, if it has not ended, and all that was started there. @returns its exit code */
  async stop(): Promise<number | null> {
    const patience = setTimeout(() => this.signal('SIGKILL'), PATIENCE_MS);
    this.signal('SIGTERM');
    await this.ended();
    clearTimeout(patience);
    for (const pid of this.processes()) kill(pid);
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
    return this.exit?.code ?? null;
  }

  /** What has been started in its sessions and lives: whoever has its home here, orphans, too. */
  processes(): number[] {
    const home = `HOME=${this.folder}`;
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name) && Number(name) !== this.pid)
      .filter((pid) => textOf(`/proc/${pid}/environ`).split('\0').includes(home))
      .map(Number);
  }

  /** Its children, those included that have ended and were not waited for (proc(5)). */
  children(): number[] {
    const threads = namesIn(`/proc/${this.pid}/task`);
    const children = threads.flatMap((thread) =>
      textOf(`/proc/${this.pid}/task/${thread}/children`).split(' '),
    );
    return children.filter(Boolean).map(Number);
  }

  /** Whether one of those has become this command. */
  runs(command: string): boolean {
    return this.processes().some((pid) => textOf(`/proc/${pid}/comm`).trim() === command);
  }

  /** Descriptors it has open; `masters`, of those, of terminals. */
  descriptors(): { readonly all: number; readonly masters: number } {
    const all = readdirSync(`/proc/${this.pid}/fd`);
    const targets = all.map((fd) => linkOf(`/proc/${this.pid}/fd/${fd}`));
    return { all: all.length, masters: targets.filter((target) => target.includes('ptmx')).length };
  }

  /** Figures as the server tells them itself, by name and labels. */
  async metrics(): Promise<Map<string, number>> {
    const text = await this.get('/metrics');
    const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    return new Map(
      lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
    );
  }

  async sessions(): Promise<readonly { readonly id: string; readonly createdAt: string }[]> {
    return JSON.parse(await this.get('/api/sessions')) as { id: string; createdAt: string }[];
  }

  get(path: string): Promise<string> {
    return this.request('GET', path).then(({ body }) => body);
  }

  /** On a connection of its own. */
  async request(method: string, path: string): Promise<{ readonly status: number; readonly body: string }> {
    const { TREX_HOST: host = '127.0.0.1', TREX_TOKEN: token } = this.circumstances.settings ?? {};
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const sent = request({ host, port: this.port, method, path, headers, agent: false });
    sent.end();
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    let body = '';
    for await (const text of response.setEncoding('utf8')) body += text as string;
    return { status: response.statusCode ?? 0, body };
  }

  /** Has the remote hand do something. */
  async ask(question: Omit<Question, 'number'>): Promise<Answer> {
    const number = ++this.questions;
    const file = join(this.folder, `answer-${number}.json`);
    writeFileSync(join(this.folder, 'question.json'), JSON.stringify({ ...question, number }));
    this.signal('SIGUSR2');
    await until(() => existsSync(file), 'the remote hand answers', 2 * PATIENCE_MS);
    const answer = JSON.parse(readFileSync(file, 'utf8')) as Answer;
    rmSync(file);
    return answer;
  }
}

/** Told by whoever has built it; else beside what this was compiled to. */
function builtServer(): string {
  return process.env.RELIABILITY_SERVER ?? join(__dirname, '../../../dist/main.js');
}

async function freePort(): Promise<number> {
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  listener.close();
  await once(listener, 'close');
  return port;
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has gone meanwhile.
  }
}

/** As {@link textOf}. */
function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Empty when it is gone, or nobody's business. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
