import { type ChildProcess, spawn, type SpawnOptions } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { WebSocket } from 'ws';

const PATIENCE_MS = 30_000;
const STOP_MS = 15_000;

interface Answer {
  readonly id?: number;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

/**
 * A browser, and what it is asked by the DevTools protocol. By hand: the libraries for that have every frame of every
 * WebSocket told to them, and a flooded page then shows half as much.
 */
export class Devtools {
  private readonly answers = new EventEmitter();
  private readonly gone = new AbortController();
  private lastId = 0;

  private constructor(
    private readonly browser: ChildProcess,
    private readonly socket: WebSocket,
  ) {
    socket.on('message', (text: Buffer) => {
      const answer = JSON.parse(text.toString()) as Answer;
      if (answer.id !== undefined) this.answers.emit(String(answer.id), answer);
    });
    socket.on('close', () => this.gone.abort());
  }

  /** All that it keeps goes into `home`. */
  static async start(executable: string, home: string): Promise<Devtools> {
    const settings = [
      '--headless',
      '--remote-debugging-port=0',
      `--user-data-dir=${mkdtempSync(join(home, 'profile-'))}`,
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      // Where no mouse is plugged in, the page would take itself for one on a phone.
      '--blink-settings=primaryHoverType=2,availableHoverTypes=2,primaryPointerType=4,availablePointerTypes=4',
      // Root has no sandbox to start it in.
      ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
    ];
    const env = { PATH: process.env.PATH, HOME: home, TMPDIR: home };
    // A group of its own: see `kill`.
    const options: SpawnOptions = { env, stdio: ['ignore', 'ignore', 'pipe'], detached: true };
    const browser = spawn(executable, settings, options);
    const killed = (): void => kill(browser);
    // Before anybody removes `home`.
    process.prependListener('exit', killed);
    browser.once('exit', () => process.removeListener('exit', killed));
    try {
      const socket = new WebSocket(await address(browser));
      await once(socket, 'open', { signal: AbortSignal.timeout(PATIENCE_MS) });
      return new Devtools(browser, socket);
    } catch (error) {
      await stop(browser);
      throw error;
    }
  }

  /** @param sessionId of a page; without one, the browser itself is asked. @throws what went wrong there */
  async ask<T>(method: string, params: object = {}, sessionId?: string): Promise<T> {
    const id = ++this.lastId;
    const signal = AbortSignal.any([this.gone.signal, AbortSignal.timeout(PATIENCE_MS)]);
    const answer = once(this.answers, String(id), { signal }).catch((cause: unknown) => {
      throw new Error(`the browser did not answer ${method} within ${PATIENCE_MS} ms, or is gone`, { cause });
    });
    this.socket.send(JSON.stringify({ id, method, params, sessionId }));
    const [{ result, error }] = (await answer) as [Answer];
    if (error) throw new Error(`${method}: ${error.message}`);
    return result as T;
  }

  async stop(): Promise<void> {
    this.socket.terminate();
    await stop(this.browser);
  }
}

/** Where it listens, which it says. */
function address(browser: ChildProcess): Promise<string> {
  return new Promise((done, fail) => {
    let said = '';
    const failed = (what: string): void => fail(new Error(`the browser ${what}; it said: ${said}`));
    const late = setTimeout(() => failed(`does not listen within ${PATIENCE_MS} ms`), PATIENCE_MS);
    browser.once('exit', () => {
      clearTimeout(late);
      failed('ended instead of listening');
    });
    // Read to the end: one whose complaints nobody takes would wait.
    browser.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(0, 10_000);
      const found = /listening on (ws:\S+)/.exec(said)?.[1];
      if (found === undefined) return;
      clearTimeout(late);
      done(found);
    });
  });
}

async function stop(browser: ChildProcess): Promise<void> {
  if (isOver(browser)) return;
  const patience = setTimeout(() => kill(browser), STOP_MS);
  browser.kill('SIGTERM');
  await once(browser, 'exit');
  clearTimeout(patience);
}

/** With all processes of its own: on their way out they would go on writing into what is about to be removed. */
function kill(browser: ChildProcess): void {
  if (browser.pid !== undefined && !isOver(browser)) process.kill(-browser.pid, 'SIGKILL');
}

function isOver({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}
