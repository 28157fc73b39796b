import { type Locator } from 'playwright-core';
import { type Tab } from './support/tab.js';
import { describeInBrowser, useBrowser } from './support/use-browser.js';

const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };

describeInBrowser('on a phone', () => {
  const { serve, open } = useBrowser();

  /** A tab with a session that has been started from the middle of the page. */
  async function withShell(): Promise<Tab> {
    const { url } = await serve();
    const tab = await open(url, PHONE);
    await tab.page.getByTestId('empty').getByRole('button', { name: 'New session' }).tap();
    await tab.untilLive();
    await tab.untilShown(/^[#$]$/);
    return tab;
  }

  const key = (tab: Tab, name: string): Locator =>
    tab.page.getByRole('toolbar', { name: 'Keys' }).getByRole('button', { name, exact: true });

  it('the list is a drawer over the terminal, which is as wide as the phone', async () => {
    const tab = await withShell();
    expect(await tab.sidebar.isVisible()).toBe(false);
    const fits = (): boolean => document.documentElement.scrollWidth <= window.innerWidth;
    expect(await tab.page.evaluate(fits)).toBe(true);
    const [rows, cols] = (await tab.size()).split(' ').map(Number);
    expect(cols).toBeGreaterThan(35);
    expect(rows).toBeGreaterThan(25);

    await tab.button('Toggle sidebar').tap();
    await tab.sidebar.getByRole('button', { name: 'New session' }).tap();
    await tab.untilShown(/^[#$]$/);
    expect(await tab.sidebar.isVisible()).toBe(false);
    await tab.terminal.tap();
    await tab.enter('echo in-the-second');
    await tab.untilShown(/^in-the-second$/m);

    await tab.button('Toggle sidebar').tap();
    await tab.sessions.first().locator('.session-show').tap();
    await tab.sidebar.waitFor({ state: 'hidden' });
    await tab.untilShown(/^[#$]$/);
    await tab.button('Toggle sidebar').tap();
    await tab.sidebar.waitFor();
    // Beside it.
    await tab.page.touchscreen.tap(380, 400);
    await tab.sidebar.waitFor({ state: 'hidden' });
    expect(await tab.page.evaluate(fits)).toBe(true);
  });

  it('there are keys that its keyboard has not', async () => {
    const tab = await withShell();
    await tab.terminal.tap();
    await tab.enter('stty -echoctl; cat -v');
    await tab.untilShown(/cat -v$/m);
    await key(tab, 'Esc').tap();
    for (const arrow of ['Left', 'Down', 'Up', 'Right']) await key(tab, arrow).tap();
    for (const sign of ['/', '|', '-', '~']) await key(tab, sign).tap();
    await key(tab, 'Alt').tap();
    await tab.type('x');
    await key(tab, 'Tab').tap();
    await tab.enter('y');
    await tab.untilShown(/^\^\[\^\[\[D\^\[\[B\^\[\[A\^\[\[C\/\|-~\^\[x {1,8}y$/m);

    await key(tab, 'Ctrl').tap();
    expect(await key(tab, 'Ctrl').getAttribute('aria-pressed')).toBe('true');
    await tab.type('c');
    await tab.untilShown(/^[#$]$/m);
    expect(await key(tab, 'Ctrl').getAttribute('aria-pressed')).toBe('false');
    await tab.enter('echo letters-are-letters');
    await tab.untilShown(/^letters-are-letters$/m);
  });

  /** A finger moves so far down the terminal, in small steps. */
  async function swipe(tab: Tab, pixels: number): Promise<void> {
    const cdp = await tab.page.context().newCDPSession(tab.page);
    const send = (type: 'touchStart' | 'touchMove' | 'touchEnd', y?: number): Promise<unknown> =>
      cdp.send('Input.dispatchTouchEvent', { type, touchPoints: y === undefined ? [] : [{ x: 150, y }] });
    const from = pixels > 0 ? 150 : 650;
    await send('touchStart', from);
    for (let step = 1; step <= 20; step++) await send('touchMove', from + (pixels * step) / 20);
    await send('touchEnd');
    await cdp.detach();
  }

  const firstRow = async (tab: Tab): Promise<number> => Number((await tab.screen()).split('\n')[0]);

  it('a finger scrolls back, and forth, as far as it moves', async () => {
    const tab = await withShell();
    await tab.terminal.tap();
    await tab.enter('seq 500');
    await tab.untilShown(/^500\n[#$]$/m);
    const before = await firstRow(tab);
    await swipe(tab, 400);
    await tab.until(async () => (await firstRow(tab)) < before - 15, 'it is scrolled back');
    const back = await firstRow(tab);
    expect(back).toBeGreaterThan(before - 40);
    await swipe(tab, -200);
    await tab.until(async () => (await firstRow(tab)) > back + 5, 'it is scrolled forth');
    expect(await firstRow(tab)).toBeLessThan(before);
    await swipe(tab, -400);
    await tab.untilShown(/^500\n[#$]$/m);

    await key(tab, 'Page up').tap();
    await tab.until(async () => (await firstRow(tab)) < before - 20, 'it is a page back');
    await key(tab, 'Page down').tap();
    await tab.untilShown(/^500\n[#$]$/m);
  });

  it('a finger turns the wheel for a program that fills the screen, or has the mouse', async () => {
    const tab = await withShell();
    await tab.terminal.tap();
    await tab.enter("stty -echo -icanon; printf '\\033[?1049h'; cat -v");
    await tab.untilShown(/^$/);
    await swipe(tab, 200);
    await tab.untilShown(/^(\^\[\[A){4,}/m);
    await key(tab, 'Page up').tap();
    await tab.untilShown(/5\n?~$/);
    await tab.press('Control+C');
    await tab.enter("clear; printf '\\033[?1049l\\033[?1000h\\033[?1006h'; cat -v");
    await tab.until(async () => !/5\n?~/.test(await tab.screen()), 'the screen is the usual one');
    await swipe(tab, -200);
    await tab.untilShown(/\^\[\[<65;\d+;/);
  });

  it('what a keyboard writes at once arrives as it was written', async () => {
    const tab = await withShell();
    await tab.terminal.tap();
    await tab.page.keyboard.insertText('echo wörter ');
    await tab.page.keyboard.insertText('und ☃');
    await tab.press('Enter');
    await tab.untilShown(/^wörter und ☃$/m);
  });
});
