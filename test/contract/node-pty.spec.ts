import { closeSync, openSync, realpathSync, writeSync } from 'node:fs';
import { type Pty, type PtyEvents } from '../../src/core/pty.js';
import { DEFAULT_SIZE } from '../../src/core/terminal-size.js';
import { Shells } from '../pty/support/shells.js';
import { type Actor, ptyContract, type Stage } from './pty.contract.js';

/** Takes its orders from a pipe: its terminal is what is tested. Announces the pipe, which nothing else makes. */
const ACTOR = (orders: string): string => `
  stty raw -echo
  mkfifo ${orders}
  exec 3<&0 0<>${orders}
  printf R
  while IFS= read -r line; do
    order=\${line%% *} rest=\${line#* }
    case $order in
      go) cd "$rest" ;;
      print) printf %s "$rest" ;;
      exit) exit "$rest" ;;
      kill) kill -"$rest" $$ ;;
      repeat) head -c "$rest" <&3 ;;
      swallow) head -c "$rest" <&3 >/dev/null ;;
    esac
  done`;

/** Lets the test hear what comes after the announcement. */
class AfterReady implements PtyEvents {
  private ready = false;
  readonly whenReady: Promise<void>;
  private becomeReady!: () => void;

  constructor(private readonly events: PtyEvents) {
    this.whenReady = new Promise((resolve) => (this.becomeReady = resolve));
  }

  output(bytes: Uint8Array): void {
    const rest = this.ready ? bytes : bytes.subarray(1);
    this.ready = true;
    this.becomeReady();
    if (rest.length > 0) this.events.output(rest);
  }

  writable(): void {
    this.events.writable();
  }

  ended(...exit: Parameters<PtyEvents['ended']>): void {
    this.events.ended(...exit);
  }
}

class RealStage implements Stage {
  private readonly shells = new Shells();
  private readonly pipes: number[] = [];

  async start(events: PtyEvents): Promise<Actor> {
    const path = this.shells.path(`orders-${this.pipes.length}`);
    const heard = new AfterReady(events);
    const { pty } = await this.shells.run('/bin/sh', ['-c', ACTOR(path)], heard);
    await heard.whenReady;
    const pipe = openSync(path, 'r+');
    this.pipes.push(pipe);
    const order = (what: string, rest: string | number): unknown => writeSync(pipe, `${what} ${rest}\n`);
    return {
      pty,
      home: realpathSync(this.shells.home),
      goTo: (path) => order('go', path),
      print: (text) => order('print', text),
      exit: (code) => order('exit', code),
      killedBy: (signal) => order('kill', signal.replace('SIG', '')),
      repeat: (bytes) => order('repeat', bytes),
      swallow: (bytes) => order('swallow', bytes),
    };
  }

  refused(events: PtyEvents): Promise<Pty> {
    return this.shells.factory.spawn(
      { file: '/no/such/shell', args: [], cwd: '/', size: DEFAULT_SIZE },
      events,
    );
  }

  async dispose(): Promise<void> {
    this.pipes.splice(0).forEach((pipe) => closeSync(pipe));
    await this.shells.dispose();
  }
}

ptyContract('a real process', () => new RealStage());
