import { type Locator, type Page } from 'playwright-core';
import { until } from '../../support/until.js';

/** Long beyond need: what makes a busy machine slow is no failure. */
export const PATIENCE_MS = 30_000;
const LOOK_EVERY_MS = 30;

/** A shell of the tests that waits for a command. */
const PROMPT = /[#$]$/;

/** What can be read of the terminal that is shown, row by row. */
const ROWS = '[data-testid=terminal]:not([hidden]) .xterm-rows > div';

/** A page of trex in the browser, as its user has it; whatever goes wrong in it unexpectedly fails its test. */
export class Tab {
  /** Frames with input that it has sent. */
  inputFrames = 0;
  /** Bytes of frames with output that have come. */
  outputBytes = 0;
  /** Pages that it has opened. */
  readonly opened: string[] = [];
  private readonly faults: string[] = [];
  private readonly expected: RegExp[] = [];
  private readonly allowed: RegExp[] = [];

  constructor(readonly page: Page) {
    page.setDefaultTimeout(PATIENCE_MS);
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning')
        this.faults.push(`console: ${message.text()} (${message.location().url})`);
    });
    page.on('pageerror', (error) => this.faults.push(`thrown: ${error.stack ?? error.message}`));
    page.on('requestfailed', (request) => {
      const why = request.failure()?.errorText ?? '';
      // Somebody wanted that: the page is left, for instance.
      if (why === 'net::ERR_ABORTED') return;
      this.faults.push(`not loaded: ${request.method()} ${request.url()} ${why}`);
    });
    page.on('dialog', (dialog) => {
      this.faults.push(`a dialog of the browser: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on('crash', () => this.faults.push('crashed'));
    page.on('popup', (popup) => this.opened.push(popup.url()));
    page.on('websocket', (socket) => {
      socket.on('framesent', ({ payload }) => {
        if (typeof payload !== 'string') this.inputFrames++;
      });
      socket.on('framereceived', ({ payload }) => {
        if (typeof payload !== 'string') this.outputBytes += payload.length;
      });
    });
  }

  /** What is about to go wrong is meant to; that it does not is as bad. */
  expectFault(fault: RegExp): void {
    this.expected.push(fault);
  }

  /** What goes wrong here at times, and is no fault of the page. */
  allowFault(fault: RegExp): void {
    this.allowed.push(fault);
  }

  /** The server is out of reach from now on, at times: the browser says so whenever the page tries. */
  loseServer(): void {
    this.allowFault(/^console: WebSocket connection to '.*\/ws' failed: .*net::ERR_(CONNECTION|SOCKET)_/);
    this.allowFault(/^not loaded: GET .*\/api\/auth\/enabled net::ERR_(CONNECTION|SOCKET)_/);
    this.allowFault(
      /^console: Failed to load resource: net::ERR_(CONNECTION|SOCKET)_.*\/api\/auth\/enabled\)$/,
    );
  }

  /** Fails with what went wrong, and with what should have. */
  check(): void {
    const mayBe = [...this.expected, ...this.allowed];
    const unexpected = this.faults.filter((fault) => !mayBe.some((expected) => expected.test(fault)));
    const missing = this.expected.filter((expected) => !this.faults.some((fault) => expected.test(fault)));
    expect({ unexpected, missing }).toEqual({ unexpected: [], missing: [] });
  }

  // What is to be seen.

  /** The terminal that is shown. */
  get terminal(): Locator {
    return this.page.locator('[data-testid=terminal]:not([hidden])');
  }

  get sidebar(): Locator {
    return this.page.getByTestId('sidebar');
  }

  /** The rows of the sidebar. */
  get sessions(): Locator {
    return this.page.getByTestId('session');
  }

  session(name: string | RegExp): Locator {
    return this.sessions.filter({ has: this.page.locator('.session-name', { hasText: name }) });
  }

  get stageBar(): Locator {
    return this.page.getByTestId('stage-bar');
  }

  dialog(name: string | RegExp): Locator {
    return this.page.getByRole('dialog', { name });
  }

  button(name: string | RegExp): Locator {
    return this.page.getByRole('button', { name, exact: typeof name === 'string' });
  }

  /** What the page says about its connection. */
  get link(): Promise<string | null> {
    return this.page.getByTestId('connection').getAttribute('data-link');
  }

  async untilLink(link: string): Promise<void> {
    await this.page.locator(`[data-testid=connection][data-link=${link}]`).waitFor();
  }

  /** `24 80`, as `stty size` says it. */
  async size(): Promise<string> {
    const [cols, rows] = (await this.page.getByTestId('size').innerText()).split(' × ');
    return `${rows} ${cols}`;
  }

  /** What the terminal shows, without the blanks at the ends of its lines. */
  async screen(): Promise<string> {
    const rows = await this.page.locator(ROWS).allTextContents();
    return rows
      .map((row) => row.trimEnd())
      .join('\n')
      .trimEnd();
  }

  /** Resolves once the terminal shows it. */
  async untilShown(what: string | RegExp, deadlineMs = PATIENCE_MS): Promise<void> {
    const [source, flags] = typeof what === 'string' ? [escaped(what), ''] : [what.source, what.flags];
    const isShown = ([rows, source, flags]: string[]): boolean => {
      const texts = [...document.querySelectorAll(rows!)].map((row) => row.textContent.trimEnd());
      return new RegExp(source!, flags).test(texts.join('\n').trimEnd());
    };
    const options = { polling: LOOK_EVERY_MS, timeout: deadlineMs };
    await this.page.waitForFunction(isShown, [ROWS, source, flags], options).catch(async (error: Error) => {
      throw new Error(`${error.message}\nThis is shown in place of ${String(what)}:\n${await this.story()}`);
    });
  }

  /** Resolves once a claim about the tab holds. */
  async until(claim: () => Promise<boolean>, what: string): Promise<void> {
    await until(claim, what, PATIENCE_MS).catch(async (error: Error) => {
      throw new Error(`${error.message}\nThis is shown:\n${await this.story()}`);
    });
  }

  /** All that can be scrolled to, as the page saves it. */
  async savedOutput(): Promise<string> {
    const [download] = await Promise.all([
      this.page.waitForEvent('download'),
      this.command('Save output as a text file'),
    ]);
    const chunks: Buffer[] = [];
    for await (const chunk of await download.createReadStream()) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks).toString();
  }

  // What its user does.

  /** By the button; the shell has come up. */
  async newSession(): Promise<void> {
    const create = this.sidebar.getByRole('button', { name: 'New session' });
    // It is offered as soon as the server has told which sessions there are.
    await create.waitFor();
    const before = await this.sessions.count();
    await create.click();
    await this.until(async () => (await this.sessions.count()) === before + 1, 'there is another session');
    await this.untilLive();
    await this.untilShown(PROMPT);
  }

  async untilLive(): Promise<void> {
    await this.page.locator('[data-testid=terminal][data-state=live]:not([hidden])').waitFor();
  }

  async show(name: string | RegExp): Promise<void> {
    await this.session(name).locator('.session-show').click();
    await this.session(name).locator('[aria-current=true]').waitFor();
  }

  async type(text: string): Promise<void> {
    await this.page.keyboard.type(text);
  }

  async press(...keys: string[]): Promise<void> {
    for (const key of keys) await this.page.keyboard.press(key);
  }

  /** A line for the shell. */
  async enter(line: string): Promise<void> {
    await this.type(line);
    await this.press('Enter');
  }

  /** What the palette has under that name. */
  async command(name: string): Promise<void> {
    await this.button('Commands').click();
    await this.page.keyboard.insertText(name);
    await this.press('Enter');
  }

  /** Where the page offers it: the offer may be gone before it is taken. */
  async tryAgain(): Promise<void> {
    const again = this.button('Try again');
    if (!(await again.isVisible())) return;
    await again.click({ timeout: 500 }).catch((error: Error) => {
      if (error.name !== 'TimeoutError') throw error;
    });
  }

  async leaveDialog(): Promise<void> {
    await this.press('Escape');
    await this.page.getByRole('dialog').waitFor({ state: 'detached' });
  }

  async setScrollback(lines: number): Promise<void> {
    await this.command('Settings');
    await this.page.getByLabel('Scrollback').selectOption(String(lines));
    await this.leaveDialog();
  }

  async clipboard(): Promise<string> {
    return this.page.evaluate(() => navigator.clipboard.readText());
  }

  async setClipboard(text: string): Promise<void> {
    await this.page.evaluate((copied) => navigator.clipboard.writeText(copied), text);
  }

  /** Clicks on text in the terminal as with a mouse. */
  async clickText(text: string): Promise<void> {
    const { mouse } = this.page;
    const [x, y] = await this.middleOf(text);
    // The emulator looks for a link where the mouse comes to.
    await mouse.move(x - 40, y + 40);
    await mouse.move(x, y, { steps: 3 });
    await mouse.click(x, y);
  }

  /** Where that text was shown last. */
  async middleOf(text: string): Promise<[x: number, y: number]> {
    const place = await this.page.evaluate(placeOf, [ROWS, text] as const);
    if (!place) throw new Error(`${text} is not there:\n${await this.story()}`);
    return place;
  }

  /** How long each of these keys takes to be seen, in milliseconds. The program echoes them, on a line of their own. */
  async echoTimes(keys: string): Promise<number[]> {
    const times: number[] = [];
    for (let length = 1; length <= keys.length; length++) {
      await this.page.evaluate(watchEcho, [ROWS, keys.slice(0, length)] as const);
      await this.press(keys[length - 1]!);
      times.push(await this.page.evaluate(() => (window as unknown as { echo: Promise<number> }).echo));
    }
    return times;
  }

  /** For who has to find out what went wrong. */
  private async story(): Promise<string> {
    const told = [this.stageBar, this.page.getByTestId('notice'), this.page.getByRole('dialog')];
    const texts = await Promise.all(told.map((one) => one.filter({ visible: true }).allInnerTexts()));
    const where = `${this.page.url()} · ${await this.link}`;
    return [where, await this.screen(), ...texts.flat(), ...this.faults].join('\n');
  }
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

/** Runs in the page. The middle of the last place where that text is shown. */
function placeOf([rows, text]: readonly [string, string]): [x: number, y: number] | undefined {
  for (const row of [...document.querySelectorAll(rows)].reverse()) {
    const at = row.textContent.indexOf(text);
    if (at < 0) continue;
    const end = (offset: number): [Node, number] => {
      const walker = document.createTreeWalker(row, NodeFilter.SHOW_TEXT);
      let left = offset;
      for (let node = walker.nextNode(); node; node = walker.nextNode()) {
        const { length } = node.textContent!;
        if (left <= length) return [node, left];
        left -= length;
      }
      throw new Error('there is no such place');
    };
    const range = document.createRange();
    range.setStart(...end(at));
    range.setEnd(...end(at + text.length));
    const { left, top, width, height } = range.getBoundingClientRect();
    return [left + width / 2, top + height / 2];
  }
  return undefined;
}

/** Runs in the page. From the next key until a row is `line`. */
function watchEcho([rows, line]: readonly [string, string]): void {
  const holder = window as unknown as { echo: Promise<number> };
  holder.echo = new Promise((resolve) => {
    let pressedAt = 0;
    window.addEventListener('keydown', () => (pressedAt = performance.now()), { capture: true, once: true });
    const look = (): void => {
      if (![...document.querySelectorAll(rows)].some((row) => row.textContent.trimEnd() === line)) return;
      observer.disconnect();
      resolve(performance.now() - pressedAt);
    };
    const observer = new MutationObserver(look);
    const parent = document.querySelector(rows)!.parentElement!;
    observer.observe(parent, { childList: true, characterData: true, subtree: true });
  });
}
