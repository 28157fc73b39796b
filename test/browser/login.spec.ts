import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { newToken } from '../../src/admission/access-token.js';
import { builtFolder } from '../support/build.js';
import { type Tab } from './support/tab.js';
import { describeInBrowser, useBrowser } from './support/use-browser.js';

/** A browser's own words about the answer to a wrong token. */
const WRONG_TOKEN = /^console: Failed to load resource: .* status of 401/;

describeInBrowser('a server that asks for a token', () => {
  const { serve, open } = useBrowser();
  const token = newToken();
  const readOnlyToken = newToken();

  const withTokens = async (): Promise<string> => {
    const folder = builtFolder();
    const [full, readOnly] = [join(folder, 'token'), join(folder, 'read-only-token')];
    writeFileSync(full, token, { mode: 0o600 });
    writeFileSync(readOnly, readOnlyToken, { mode: 0o600 });
    const { url } = await serve({ TREX_TOKEN_FILE: full, TREX_READ_ONLY_TOKEN_FILE: readOnly });
    rmSync(full);
    rmSync(readOnly);
    return url;
  };

  const isAsked = async (tab: Tab): Promise<void> => {
    await tab.page.getByRole('heading', { name: 'Log in' }).waitFor();
  };

  const logIn = async (tab: Tab, shown: string): Promise<void> => {
    await tab.page.getByLabel('Token').fill(shown);
    await tab.press('Enter');
  };

  it('lets in whoever shows it, until they log out', async () => {
    const tab = await open(await withTokens());
    await isAsked(tab);
    expect(await tab.page.getByLabel('Token').evaluate((field) => field === document.activeElement)).toBe(
      true,
    );

    tab.expectFault(WRONG_TOKEN);
    await logIn(tab, newToken());
    await tab.page.getByText('That is not the token.').waitFor();
    expect(await tab.page.getByText('No sessions yet').isVisible()).toBe(false);

    await logIn(tab, token);
    await tab.newSession();
    await tab.enter('echo inside');
    await tab.untilShown(/^inside$/m);
    expect(await tab.page.evaluate(() => document.cookie)).toBe('');
    expect(await stored(tab)).not.toContain(token);

    await tab.page.reload();
    await tab.untilShown(/^inside$/m);
    await tab.command('Log out');
    await tab.page.getByText('This server asks for a token.').waitFor();
    expect(await tab.page.getByText('inside').isVisible()).toBe(false);
    await tab.page.reload();
    await tab.page.getByRole('heading', { name: 'Log in' }).waitFor();
    await logIn(tab, token);
    await tab.untilShown(/^inside$/m);
  });

  it('tells who shows too many wrong ones to wait', async () => {
    const tab = await open(await withTokens());
    await isAsked(tab);
    tab.expectFault(WRONG_TOKEN);
    tab.expectFault(/^console: Failed to load resource: .* status of 429/);
    for (let tries = 0; tries < 11; tries++) {
      const [answer] = await Promise.all([
        tab.page.waitForResponse((response) => response.url().endsWith('/api/auth')),
        logIn(tab, newToken()),
      ]);
      if (answer.status() === 429) break;
      await tab.page.getByText('That is not the token.').waitFor();
    }
    await tab.page.getByText(/^Too many wrong tokens have come from here\. Wait \d+ s/).waitFor();
  });

  it('lets watch whoever has a link with a token that only reads, which does not stay in the address', async () => {
    const url = await withTokens();
    const tab = await open(url);
    await isAsked(tab);
    await logIn(tab, token);
    await tab.newSession();
    const { hash } = new URL(tab.page.url());

    const watcher = await open(`${url}${hash}&token=${readOnlyToken}`);
    await watcher.untilShown(/^[#$]$/);
    expect(watcher.page.url()).not.toContain(readOnlyToken);
    await watcher.page.getByTestId('read-only').waitFor();
    await watcher.page.getByText('Connected, read-only').waitFor();
    await watcher.terminal.click();
    await watcher.type('echo not-typed\n');
    await tab.enter('echo seen by all');
    for (const each of [tab, watcher]) await each.untilShown(/^[#$] echo seen by all\nseen by all\n[#$]$/);
    expect(watcher.inputFrames).toBe(0);
    await watcher.page.reload();
    await watcher.untilShown(/^seen by all$/m);
    await watcher.page.getByTestId('read-only').waitFor();
    expect(await watcher.page.evaluate(() => location.href)).not.toContain(readOnlyToken);
    expect(await stored(watcher)).not.toContain(readOnlyToken);
  });

  it('makes a link for others to watch by, with the token one gives it', async () => {
    const tab = await open(await withTokens());
    await isAsked(tab);
    await logIn(tab, token);
    await tab.newSession();
    await tab.command('Copy read-only link');
    await tab.page.getByLabel('Read-only token').fill(readOnlyToken);
    await tab.press('Enter');
    await tab.page.getByTestId('notice').getByText('Copied a link').waitFor();

    const watcher = await open(await tab.clipboard());
    await watcher.page.getByTestId('read-only').waitFor();
    await watcher.untilShown(/^[#$]$/);
    expect(watcher.page.url()).toBe(`${tab.page.url()}&readonly`);
  });

  it('does not let in by a link whose token is old, and says so', async () => {
    const tab = await open(`${await withTokens()}#token=${newToken()}`);
    tab.expectFault(WRONG_TOKEN);
    await isAsked(tab);
    await tab.page.getByText('The token of this link does not let in any more.').waitFor();
    expect(new URL(tab.page.url()).hash).toBe('');
  });

  it('keeps the token of a link until the server can be asked about it', async () => {
    const tab = await open(await withTokens());
    tab.allowFault(/^(?:not loaded|console: Failed to load resource).*net::ERR_FAILED/);
    await tab.page.route('**/api/auth/enabled', (route) => route.abort());
    await tab.page.goto(`${tab.page.url()}#token=${token}`);
    await tab.page.getByText('The server does not answer. Is it running?').waitFor();
    expect(tab.page.url()).not.toContain(token);
    const asked = tab.page.waitForRequest('**/api/auth');
    await tab.page.route('**/api/auth', (route) => route.abort());
    // From here on it may ask at any time.
    await tab.page.unroute('**/api/auth/enabled');
    await asked;
    await tab.page.unroute('**/api/auth');
    await tab.untilLink('open');
    await tab.newSession();
  });
});

/** All that the page keeps in the browser. */
function stored(tab: Tab): Promise<string> {
  return tab.page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]));
}
