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

  it('what a keyboard writes at once arrives as it was written', async () => {
    const tab = await withShell();
    await tab.terminal.tap();
    await tab.page.keyboard.insertText('echo wörter ');
    await tab.page.keyboard.insertText('und ☃');
    await tab.press('Enter');
    await tab.untilShown(/^wörter und ☃$/m);
  });
});
