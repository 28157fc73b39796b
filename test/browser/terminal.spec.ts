import { createHash } from 'node:crypto';
import { accessSync, constants, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Tab } from './support/tab.js';
import { describeInBrowser, useBrowser } from './support/use-browser.js';

function isInstalled(program: string): boolean {
  return (process.env.PATH ?? '').split(':').some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

describeInBrowser('a terminal in the page', () => {
  const { serve, open, openBeside } = useBrowser();

  /** A tab with one session, whose shell is waiting. */
  async function withShell(env?: Record<string, string>): Promise<{ tab: Tab; url: string; home: string }> {
    const { url, home } = await serve(env);
    const tab = await open(url);
    await tab.newSession();
    return { tab, url, home };
  }

  it('is as large as the window lets it, and its program hears of each change', async () => {
    const { tab } = await withShell();
    await tab.enter(`trap 'echo now: $(stty size)' WINCH; while :; do sleep 60 & wait; done`);
    const windows = [
      [800, 500],
      [1500, 900],
      [1200, 760],
    ] as const;
    for (const [width, height] of windows) {
      const before = (await tab.size()).split(' ');
      await tab.page.setViewportSize({ width, height });
      const areOthers = async (): Promise<boolean> =>
        (await tab.size()).split(' ').every((cells, place) => cells !== before[place]);
      await tab.until(areOthers, 'the terminal has other columns and other rows');
      await tab.untilShown(new RegExp(`^now: ${await tab.size()}$`, 'm'));
    }
    const before = await tab.size();
    await tab.press('Control+Shift+L');
    await tab.until(async () => (await tab.size()) !== before, 'there is more room without the sidebar');
    await tab.untilShown(new RegExp(`^now: ${await tab.size()}$`, 'm'));
  });

  describe('a program that takes the whole screen', () => {
    const using = (program: string): jest.It => {
      if (process.env.TREX_TEST_BROWSER === undefined || isInstalled(program)) return it;
      // Whoever must have a browser must have the rest, too: nothing is skipped, and the test fails for want of it.
      if (process.env.TREX_REQUIRE_BROWSER === '1') return it;
      process.stderr.write(`\n${program} is not installed: what is tested with it is skipped\n`);
      return it.skip;
    };

    using('less')('less: draws, scrolls, finds its size, and leaves the screen as it was', async () => {
      const { tab, home } = await withShell();
      const lines = Array.from({ length: 1000 }, (_, line) => `line ${line + 1} of the file`);
      writeFileSync(join(home, 'file'), lines.join('\n'));
      await tab.enter('echo before; stty size');
      const rows = Number((await tab.size()).split(' ')[0]);
      await tab.untilShown(new RegExp(`^${await tab.size()}\n[#$]$`, 'm'));
      await tab.enter('less file');
      const page = (first: number, count = rows - 1): string => lines.slice(first, first + count).join('\n');
      await tab.untilShown(new RegExp(`^${page(0)}\nfile$`));
      await tab.press('Space');
      await tab.untilShown(new RegExp(`^${page(rows - 1)}\n:$`));
      await tab.press('ArrowUp');
      await tab.untilShown(new RegExp(`^${page(rows - 2)}\n:$`));
      await tab.type('G');
      await tab.untilShown(new RegExp(`^${page(1000 - rows + 1)}\n\\(END\\)$`));
      await tab.page.setViewportSize({ width: 1000, height: 500 });
      await tab.until(
        async () => Number((await tab.size()).split(' ')[0]) < rows,
        'the terminal is as small as its window',
      );
      const fewer = Number((await tab.size()).split(' ')[0]);
      await tab.untilShown(new RegExp(`^(line \\d+ of the file\n){${fewer - 1}}(\\(END\\)|:)$`));
      await tab.type('q');
      await tab.untilShown(/^[#$] echo before; stty size\nbefore\n\d+ \d+\n[#$] less file\n[#$]$/);
    });

    using('vi')('vi: is typed into, writes what it shows, and leaves the screen as it was', async () => {
      const { tab, home } = await withShell();
      await tab.enter('vi file');
      await tab.untilShown(/^~$/m);
      await tab.type('ihello');
      await tab.press('Enter');
      await tab.type('wörld – ☃');
      await tab.press('Escape');
      await tab.untilShown(/^hello\nwörld – ☃\n~$/m);
      await tab.enter(':wq');
      await tab.untilShown(/^[#$] vi file\n[#$]$/);
      expect(readFileSync(join(home, 'file'), 'utf8')).toBe('hello\nwörld – ☃\n');
    });
  });

  it('is drawn by the graphics card where there is one, and as elements when that is taken away', async () => {
    const { url } = await serve();
    const tab = await open(url, { script: `(${pretendGraphicsCard.toString()})()` });
    await tab.page.getByTestId('empty').getByRole('button', { name: 'New session' }).click();
    await tab.page.locator('[data-testid=terminal][data-renderer=webgl]').waitFor();
    await tab.enter('echo drawn');
    await tab.until(async () => /^drawn$/m.test(await tab.savedOutput()), 'it is in the terminal');
    expect(await tab.page.locator('.xterm-rows').count()).toBe(0);

    // Software is slower than a card, and says so.
    tab.allowFault(/GPU stall due to ReadPixels/);
    tab.expectFault(/WebGL: CONTEXT_LOST|webgl context/i);
    await tab.page.evaluate(() => (window as unknown as { loseGraphicsCard(): void }).loseGraphicsCard());
    await tab.page.locator('[data-testid=terminal][data-renderer=dom]').waitFor();
    await tab.untilShown(/^drawn\n[#$]$/m);
    await tab.enter('echo drawn again');
    await tab.untilShown(/^drawn again$/m);
  });

  it('is drawn as elements where the code for the graphics card does not come', async () => {
    const { url } = await serve();
    const tab = await open(url, { script: `(${pretendGraphicsCard.toString()})()` });
    tab.expectFault(/^not loaded: GET .*\/addon-webgl-.*\.js net::ERR_FAILED/);
    tab.expectFault(/^console: Failed to load resource: net::ERR_FAILED/);
    await tab.page.route('**/addon-webgl-*.js', (route) => route.abort());
    for (const word of ['one', 'two']) {
      await tab.newSession();
      await tab.enter(`echo drawn-${word}`);
      await tab.untilShown(new RegExp(`^drawn-${word}$`, 'm'));
    }
  });

  it('has the keys when a button was clicked', async () => {
    const { tab } = await withShell();
    await tab.type('echo a');
    await tab.button('Toggle sidebar').click();
    await tab.type('b');
    await tab.button('Toggle sidebar').click();
    await tab.press('c', 'Enter');
    await tab.untilShown(/^abc$/m);
    // By the keyboard it keeps the focus.
    await tab.button('Toggle sidebar').press('Space');
    expect(await tab.button('Toggle sidebar').evaluate((one) => one === document.activeElement)).toBe(true);
    await tab.button('Find in terminal').click();
    await tab.type('abc');
    await tab.page.getByTestId('search-count').getByText(/ of /).waitFor();
  });

  it('leaves ^_ and ^@ to its program, and has other keys for the size of the text', async () => {
    const { tab } = await withShell();
    const hasFont = (size: string) => async (): Promise<boolean> =>
      (await tab.terminal.locator('.xterm-rows').evaluate((rows) => getComputedStyle(rows).fontSize)) ===
      size;
    await tab.enter('cat -v');
    await tab.press('Control+Shift+@', 'Control+Shift+_', 'Enter');
    await tab.untilShown(/^\^@\^_$/m);
    expect(await hasFont('14px')()).toBe(true);
    await tab.press('Control+Shift+>');
    await tab.until(hasFont('15px'), 'the text is larger');
    await tab.press('Control+Shift+<');
    await tab.until(hasFont('14px'), 'it is as large as before');
  });

  it('finds what it has shown', async () => {
    const { tab } = await withShell();
    await tab.enter('for i in 1 2 3; do echo needle; seq 200; done');
    await tab.untilShown(/^200\n[#$]$/m);
    await tab.press('Control+Shift+F');
    await tab.page.getByRole('textbox', { name: 'Find in terminal' }).waitFor();
    await tab.type('needle');
    const count = tab.page.getByTestId('search-count');
    // With the line that was typed.
    for (const place of ['', 'Enter', 'Enter', 'Enter']) {
      if (place) await tab.press(place);
      await count.getByText(/^\d of 4$/).waitFor();
      await tab.untilShown('needle');
    }
    const places = new Set<string>();
    for (let step = 0; step < 4; step++) {
      await tab.press('Shift+Enter');
      places.add(await count.innerText());
    }
    expect(places).toEqual(new Set(['1 of 4', '2 of 4', '3 of 4', '4 of 4']));
    await tab.page.keyboard.insertText('-and-hay');
    await count.getByText('None').waitFor();
    await tab.press('Escape');
    await tab.enter('echo typed-here');
    await tab.untilShown(/^typed-here$/m);
  });

  it('looks as its user has chosen, also when the page is loaded anew and in the other tab', async () => {
    const { tab, url } = await withShell();
    const beside = await openBeside(tab, url);
    await beside.newSession();
    const before = await tab.size();
    const looks = (): string => document.documentElement.dataset.theme!;
    await tab.page.bringToFront();
    await tab.command('Theme: Sand');
    await tab.button('Settings').click();
    const settings = tab.dialog('Settings');
    await settings.getByLabel('Size').fill('20');
    await settings.getByLabel('Size').press('Enter');
    await tab.leaveDialog();

    await tab.until(async () => (await tab.size()) !== before, 'fewer characters fit');
    const size = await tab.size();
    const fontSize = (): string =>
      getComputedStyle(document.querySelector('[data-testid=terminal]:not([hidden]) .xterm-rows')!).fontSize;
    await tab.page.reload();
    await tab.untilShown(/^[#$]$/);
    for (const each of [tab, beside]) {
      expect([await each.page.evaluate(looks), await each.page.evaluate(fontSize)]).toEqual(['sand', '20px']);
    }
    await tab.until(async () => (await tab.size()) === size, 'it is as large as before');
    await tab.press('Control+Shift+Digit0');
    await tab.until(async () => (await tab.page.evaluate(fontSize)) === '14px', 'the usual size is back');
  });

  it('tells of a bell, of new output and of the title of a session that is not shown', async () => {
    const { tab, url } = await withShell();
    await tab.enter(
      `trap 'printf "\\033]0;building it\\007\\007more\\n"' USR1; echo $$ >pid; while :; do sleep 60 & wait; done`,
    );
    await tab.newSession();
    await tab.enter('kill -USR1 $(cat pid)');
    const first = tab.sessions.first();
    await first.getByText(/new output, bell/).waitFor();
    expect(await tab.page.title()).toMatch(/^● /);
    await first.locator('.session-show').click();
    await tab.page.getByTestId('title').getByText('building it').waitFor();
    await tab.untilShown(/^more$/m);
    await tab.until(async () => !(await tab.page.title()).startsWith('● '), 'it has been seen');
    expect(await tab.page.title()).toContain('building it');
    const other = await open(url);
    await other.sessions.first().locator('.session-show').click();
    await other.page.getByTestId('title').getByText('building it').waitFor();
  });

  it('tells of them also where it was loaded anew meanwhile', async () => {
    const { tab } = await withShell();
    await tab.enter(`trap 'printf "\\007more\\n"' USR1; echo $$ >pid; while :; do sleep 60 & wait; done`);
    await tab.newSession();
    await tab.enter('echo in-the-second');
    await tab.untilShown(/^in-the-second$/m);
    await tab.page.reload();
    await tab.untilShown(/^in-the-second$/m);
    await tab.page.locator('[data-testid=terminal][hidden][data-state=live]').waitFor({ state: 'attached' });
    await tab.enter('kill -USR1 $(cat pid)');
    const first = tab.sessions.first();
    await first.getByText(/new output, bell/).waitFor();
    await first.locator('.session-show').click();
    await tab.untilShown(/^more$/m);
    await tab.until(async () => (await tab.terminal.count()) === 1, 'only one is shown');
    expect(await tab.size()).toMatch(/^\d+ \d+$/);
  });

  it('copies what is selected, and pastes it', async () => {
    const { tab } = await withShell();
    await tab.enter('echo one-word');
    await tab.untilShown(/^one-word$/m);
    await tab.page.mouse.dblclick(...(await tab.middleOf('one-word')));
    await tab.press('Control+Shift+C');
    await tab.until(async () => (await tab.clipboard()) === 'one-word', 'it is on the clipboard');
    await tab.type('echo pasted-');
    await tab.press('Control+Shift+V', 'Enter');
    await tab.untilShown(/^pasted-one-word$/m);
    await tab.type('echo again-');
    await tab.command('Paste');
    await tab.untilShown(/echo again-one-word$/);
  });

  it('copies at once what is selected by hand, where its user wants that, and not what is found', async () => {
    const { tab } = await withShell();
    await tab.command('Settings');
    await tab.page.getByLabel('Copy what is selected').check();
    await tab.leaveDialog();
    await tab.enter('echo one-word');
    await tab.untilShown(/^one-word$/m);
    await tab.page.mouse.dblclick(...(await tab.middleOf('one-word')));
    await tab.until(async () => (await tab.clipboard()) === 'one-word', 'it is on the clipboard');
    await tab.setClipboard('of the user');
    await tab.press('Control+Shift+F');
    await tab.type('word');
    await tab.press('Enter', 'Enter');
    const count = tab.page.getByTestId('search-count');
    await count.getByText(/ of /).waitFor();
    await tab.press('Escape');
    await count.waitFor({ state: 'hidden' });
    // What is looked for again is found, and selected, while the key is still down.
    await tab.press('Control+Shift+F');
    await count.getByText(/ of /).waitFor();
    expect(await tab.clipboard()).toBe('of the user');
  });

  it('copies several lines as several where the browser has no clipboard for pages', async () => {
    const { tab, url } = await withShell();
    const beside = await openBeside(tab, url);
    await tab.page.bringToFront();
    // As it is over plain HTTP from another machine.
    await tab.page.evaluate(() => Object.defineProperty(navigator, 'clipboard', { value: undefined }));
    const copied = async (): Promise<string> => {
      await beside.page.bringToFront();
      return beside.clipboard();
    };
    await tab.enter('printf "one\\ntwo\\n"');
    await tab.untilShown(/^one\ntwo\n[#$]$/m);
    await tab.command('Select all');
    await tab.press('Control+Shift+C');
    await tab.until(async () => /\none\ntwo\n[#$]/.test(await copied()), 'all lines are on the clipboard');

    // Nor the old way to copy.
    await tab.page.bringToFront();
    await tab.page.evaluate(() => Object.assign(document, { execCommand: () => false }));
    await tab.press('Control+Shift+C');
    const field = tab.dialog('Copy this').getByRole('textbox');
    expect(await field.inputValue()).toMatch(/\none\ntwo\n[#$]/);
    await tab.leaveDialog();
  });

  it('asks before it pastes many lines, and then pastes them all', async () => {
    const { tab } = await withShell();
    await tab.setClipboard('echo pasted-1\necho pasted-2\n');
    await tab.press('Control+Shift+V');
    const question = tab.dialog('Paste 2 lines?');
    expect(await question.getByTestId('paste-preview').innerText()).toBe('echo pasted-1\necho pasted-2');
    await question.getByRole('button', { name: 'Cancel' }).click();
    await tab.enter('echo nothing-else');
    await tab.untilShown(/^[#$] echo nothing-else\nnothing-else\n[#$]$/);

    await tab.press('Control+Shift+V');
    await question.getByRole('button', { name: 'Paste' }).click();
    await tab.untilShown(/^pasted-1\n[#$] pasted-2\n[#$]$/m);
  });

  it('gives a program that knows pastes a paste as one, which cannot end itself', async () => {
    const { tab } = await withShell({ TREX_SHELL: '/bin/bash' });
    await tab.setClipboard('one-line\u001b[201~; echo ran\n');
    await tab.type('echo ');
    await tab.press('Control+Shift+V');
    await tab.untilShown(/echo one-line\[201~; echo ran$/);
    await tab.press('Control+C');
    await tab.enter('echo after');
    await tab.untilShown(/^after$/m);
    expect(await tab.screen()).not.toMatch(/^ran$/m);
  });

  it('pastes 2 MB whole', async () => {
    const { tab, home } = await withShell();
    const line = 'all of it, in order, äöü ☃ 🦖: ';
    const lines = Array.from({ length: 48_000 }, (_, number) => `${line}${number}`);
    // As return keys, which is what a terminal makes of line breaks.
    const typed = Buffer.from(lines.join('\r'));
    expect(typed.length).toBeGreaterThan(2_000_000);
    await tab.setClipboard(lines.join('\n'));
    await tab.enter(
      `stty raw -echo; echo ready; head -c ${typed.length} >pasted; stty sane; sha256sum pasted`,
    );
    await tab.untilShown(/^ready/m);
    await tab.press('Control+Shift+V');
    await tab.dialog('Paste 48,000 lines?').getByRole('button', { name: 'Paste' }).click();
    const sum = createHash('sha256').update(typed).digest('hex');
    await tab.untilShown(sum, 60_000);
    expect(readFileSync(join(home, 'pasted')).equals(typed)).toBe(true);
    await tab.enter('echo and-no-more');
    await tab.untilShown(/^and-no-more$/m);
  });
});

/** Runs in the page before its own scripts: the software that draws here gives itself out as a card. */
function pretendGraphicsCard(): void {
  const UNMASKED_RENDERER = 0x9246;
  type Calls = Record<string, (...given: unknown[]) => unknown>;
  const card = WebGL2RenderingContext.prototype as unknown as Calls;
  const getParameter = card.getParameter!;
  card.getParameter = function (name) {
    return name === UNMASKED_RENDERER ? 'a card' : getParameter.call(this, name);
  };
  const canvas = HTMLCanvasElement.prototype as unknown as Calls;
  const getContext = canvas.getContext!;
  let last: WebGL2RenderingContext | undefined;
  canvas.getContext = function (...asked) {
    const context = getContext.apply(this, asked);
    if (context instanceof WebGL2RenderingContext) last = context;
    return context;
  };
  Object.assign(window, {
    loseGraphicsCard: () => last!.getExtension('WEBGL_lose_context')!.loseContext(),
  });
}
