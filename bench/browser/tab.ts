import { FRAME_HEADER_BYTES } from '../../src/protocol/frames.js';
import { peakBytes, residentBytes } from '../harness/process-usage.js';
import { Devtools } from './devtools.js';
import { type Flood, Probe, type Sign } from './probe.js';

/** For some 108 columns and 39 rows. */
const SIZE = { width: 1200, height: 760, deviceScaleFactor: 1, mobile: false };

const CONTROL = 2;
/** As the DevTools protocol has them (`Input.dispatchKeyEvent`). */
const KEYS = {
  enter: { key: 'Enter', code: 'Enter', windowsVirtualKeyCode: 13, text: '\r' },
  text: { key: 'x', code: 'KeyX', windowsVirtualKeyCode: 88, text: 'x' },
  bell: { key: 'g', code: 'KeyG', windowsVirtualKeyCode: 71, modifiers: CONTROL },
};

/** In bytes. */
export interface TabMemory {
  /** JavaScript objects and buffers, once the garbage is gone. */
  readonly heapAndBuffers: number;
  /** Of the process that the page runs in. */
  readonly rss: number;
  /** The most that it has ever been. */
  readonly peakRss: number;
}

/** The page in a browser of its own. */
export class Tab {
  private constructor(
    private readonly devtools: Devtools,
    private readonly sessionId: string,
  ) {}

  static async open(executable: string, home: string, url: string): Promise<Tab> {
    const devtools = await Devtools.start(executable, home);
    try {
      const blank = { url: 'about:blank' };
      const { targetId } = await devtools.ask<{ targetId: string }>('Target.createTarget', blank);
      const attached = { targetId, flatten: true };
      const { sessionId } = await devtools.ask<{ sessionId: string }>('Target.attachToTarget', attached);
      const tab = new Tab(devtools, sessionId);
      await tab.load(url);
      return tab;
    } catch (error) {
      await devtools.stop();
      throw error;
    }
  }

  close(): Promise<void> {
    return this.devtools.stop();
  }

  /** In place of the shell, it runs `script` without echo. The script must have no single quotes in it. */
  async newSession(script: string): Promise<void> {
    await this.run('probe.newSession()');
    await this.untilShown(/[#$]$/);
    // The terminal echoes the line: the word that is waited for must not be in it.
    const line = ` exec /bin/sh -c 'stty -echo; printf REA""DY; ${script}'`;
    await this.ask('Input.insertText', { text: line });
    await this.press('enter');
    await this.untilShown(/READY$/);
  }

  /** One of the sessions, by its place in the list. */
  async show(place: number): Promise<void> {
    await this.run(`probe.show(${place})`);
  }

  /** Resolves once the terminal in view shows it. */
  untilShown(what: RegExp): Promise<void> {
    return this.run(`probe.untilShown(${String(what)})`);
  }

  async press(name: keyof typeof KEYS): Promise<void> {
    const key = KEYS[name];
    await this.ask('Input.dispatchKeyEvent', { type: 'text' in key ? 'keyDown' : 'rawKeyDown', ...key });
    await this.ask('Input.dispatchKeyEvent', { ...key, type: 'keyUp', text: undefined });
  }

  /** So many bytes of output are to come, in all sessions. */
  expectFlood(bytes: number): Promise<void> {
    return this.run(`probe.expectFlood(${bytes})`);
  }

  isFloodOver(): Promise<boolean> {
    return this.run('probe.isFloodOver');
  }

  flood(): Promise<Flood> {
    return this.run('probe.flood');
  }

  /** Types a key. @returns how long it takes until the terminal in view has answered, in milliseconds */
  async echo(sign: Sign): Promise<number> {
    await this.run(`probe.expectEcho("${sign}")`);
    await this.press(sign);
    return this.run('probe.echo');
  }

  async memory(): Promise<TabMemory> {
    // The first collection finds objects with finalizers, the second what those held.
    for (let n = 0; n < 2; n++) await this.ask('HeapProfiler.collectGarbage');
    const heap = await this.ask<{ usedSize: number; backingStorageSize: number }>('Runtime.getHeapUsage');
    const pid = await this.pid();
    return {
      heapAndBuffers: heap.usedSize + heap.backingStorageSize,
      rss: residentBytes(pid),
      peakRss: peakBytes(pid),
    };
  }

  private async load(url: string): Promise<void> {
    await this.ask('Page.enable');
    await this.ask('Emulation.setDeviceMetricsOverride', SIZE);
    await this.ask('Emulation.setFocusEmulationEnabled', { enabled: true });
    await this.ask('Page.addScriptToEvaluateOnNewDocument', {
      source: `globalThis.probe = new (${Probe.toString()})(${FRAME_HEADER_BYTES})`,
    });
    await this.ask('Page.navigate', { url });
  }

  private ask<T>(method: string, params?: object): Promise<T> {
    return this.devtools.ask(method, params, this.sessionId);
  }

  /** @returns what comes of it in the page. @throws what is thrown there */
  private async run<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = await this.ask<{
      result: { value: T };
      exceptionDetails?: { text: string; exception?: { description?: string } };
    }>('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true });
    if (!exceptionDetails) return result.value;
    throw new Error(`${expression}: ${exceptionDetails.exception?.description ?? exceptionDetails.text}`);
  }

  /** Of the renderer that has done the most: a browser keeps another one in reserve. */
  private async pid(): Promise<number> {
    const { processInfo } = await this.devtools.ask<{
      processInfo: { type: string; id: number; cpuTime: number }[];
    }>('SystemInfo.getProcessInfo');
    const renderers = processInfo.filter(({ type }) => type === 'renderer');
    return renderers.sort((a, b) => b.cpuTime - a.cpuTime)[0]?.id ?? NaN;
  }
}
