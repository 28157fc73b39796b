import { type SessionInfo } from '../../src/protocol/messages.js';
import { describeInBrowser, useBrowser } from './support/use-browser.js';

const LOG_BYTES = 262_144;
/** Of 71 bytes on the terminal, one line of it on the screen. */
const LINE = `seq -f '%06.0f ${'-'.repeat(62)}'`;

function numbered(from: number, to: number): string[] {
  const lines: string[] = [];
  for (let line = from; line <= to; line++) lines.push(`${String(line).padStart(6, '0')} ${'-'.repeat(62)}`);
  return lines;
}

describeInBrowser('sessions in the page', () => {
  const { serve, open, openBeside } = useBrowser();

  const list = async (url: string): Promise<SessionInfo[]> =>
    (await (await fetch(`${url}api/sessions`)).json()) as SessionInfo[];

  it('are as many as one likes, each with its own output, a click or a key away', async () => {
    const { url } = await serve();
    const tab = await open(url);
    await tab.page.getByTestId('empty').getByRole('heading', { name: 'No sessions yet' }).waitFor();
    const words = ['one', 'two', 'three'];
    const names: string[] = [];
    for (const word of words) {
      await tab.newSession();
      names.push(await tab.sessions.last().locator('.session-name').innerText());
      await tab.enter(`echo this-is-${word}`);
      await tab.untilShown(new RegExp(`^this-is-${word}$`, 'm'));
    }
    expect(new Set(names).size).toBe(3);
    for (const [place, word] of words.entries()) {
      await tab.show(names[place]!);
      await tab.enter('echo again');
      await tab.untilShown(/^again$/m);
      const screen = await tab.screen();
      expect(words.filter((other) => screen.includes(`this-is-${other}`))).toEqual([word]);
    }
    const byKeys: [string, ...string[]][] = [
      ['one', 'Control+Shift+ArrowDown'],
      ['three', 'Control+Shift+ArrowUp'],
      ['two', 'Control+Shift+ArrowUp'],
      ['one', 'Control+Shift+G', '1'],
    ];
    for (const [word, ...keys] of byKeys) {
      await tab.press(...keys);
      await tab.untilShown(`this-is-${word}`);
    }
    await tab.enter('echo typed');
    await tab.untilShown(/this-is-one(?:.|\n)*^typed$/m);
    await tab.press('Control+Shift+Enter');
    await tab.until(async () => (await tab.sessions.count()) === 4, 'a key has made a session');
  });

  it('are renamed where they are listed, if the server takes the name', async () => {
    const { url } = await serve();
    const tab = await open(url);
    await tab.newSession();
    const other = await open(url);

    await tab.sessions.first().hover();
    await tab.sessions
      .first()
      .getByRole('button', { name: /^Rename / })
      .click();
    await tab.page.keyboard.insertText('build & <b>deploy</b>');
    await tab.press('Enter');

    for (const each of [tab, other]) await each.session('build & <b>deploy</b>').waitFor();
    await tab.page.locator('h1', { hasText: 'build & <b>deploy</b>' }).waitFor();
    expect(await tab.page.title()).toContain('build & <b>deploy</b>');
    expect((await list(url)).map(({ name }) => name)).toEqual(['build & <b>deploy</b>']);

    tab.expectFault(/status of 400/);
    await tab.press('Control+Shift+E');
    await tab.page.keyboard.insertText('turned\u202earound');
    await tab.press('Enter');
    await tab.sessions.getByRole('alert').filter({ hasText: /./ }).waitFor();
    await tab.press('Escape');
    expect((await list(url)).map(({ name }) => name)).toEqual(['build & <b>deploy</b>']);
    tab.expectFault(/^not loaded: PATCH .* net::ERR_FAILED/);
    tab.expectFault(/^console: Failed to load resource: net::ERR_FAILED/);
    await tab.page.route('**/api/sessions/*', (route) => route.abort());
    await tab.press('Control+Shift+E');
    await tab.page.keyboard.insertText('another');
    await tab.press('Enter');
    await tab.page.getByText('It could not be renamed: the server does not answer.').waitFor();
    await tab.press('Escape');
    await tab.page.unroute('**/api/sessions/*');
    await tab.enter('echo typed-into-the-shell');
    await tab.untilShown(/^typed-into-the-shell$/m);
  });

  it('are closed when their user has said so twice', async () => {
    const { url } = await serve();
    const tab = await open(url);
    for (const word of ['first', 'second']) {
      await tab.newSession();
      await tab.enter(`echo the-${word}`);
    }
    await tab.untilShown(/^the-second$/m);

    await tab.press('Control+Shift+X');
    await tab.page.getByTestId('confirm-close').getByRole('button', { name: 'Keep' }).click();
    expect(await tab.page.getByTestId('confirm-close').count()).toBe(0);
    expect(await list(url)).toHaveLength(2);
    await tab.enter('echo lives-on');
    await tab.untilShown(/^lives-on$/m);

    await tab.press('Control+Shift+L', 'Control+Shift+X');
    await tab.dialog(/^Close .*\?$/).waitFor();
    await tab.leaveDialog();
    expect(await list(url)).toHaveLength(2);

    await tab.press('Control+Shift+L', 'Control+Shift+X');
    await tab.page.getByTestId('confirm-close').getByRole('button', { name: 'Close' }).click();
    await tab.untilShown(/^the-first$/m);
    await tab.until(async () => (await tab.sessions.count()) === 1, 'it is in the list no more');
    await tab.until(async () => (await list(url)).length === 1, 'the server has closed it');
  });

  it('are asked about, too, when the key comes right behind the one that closes a dialog', async () => {
    const { url } = await serve();
    const tab = await open(url);
    await tab.newSession();
    for (let time = 1; time <= 3; time++) {
      await tab.press('Control+Shift+K');
      await tab.page.getByRole('dialog').waitFor();
      // Before the event that tells that it is closed.
      await tab.page.evaluate(() => {
        const dialog = document.querySelector('dialog')!;
        dialog.dispatchEvent(new Event('cancel', { cancelable: true }));
        if (dialog.open) dialog.close();
        const key = {
          key: 'X',
          code: 'KeyX',
          ctrlKey: true,
          shiftKey: true,
          bubbles: true,
          cancelable: true,
        };
        document.activeElement!.dispatchEvent(new KeyboardEvent('keydown', key));
      });
      await tab.page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn))));
      const question = tab.page.getByTestId('confirm-close');
      expect(await question.count()).toBe(1);
      await question.getByRole('button', { name: 'Keep' }).click();
    }
  });

  it('say with which code they have ended, and can be started again', async () => {
    const { url } = await serve();
    const tab = await open(url);
    await tab.newSession();
    await tab.enter('echo last-words; exit 3');

    await tab.stageBar.getByText('Exited with code 3.').waitFor();
    await tab.sessions.getByText('exit 3').waitFor();
    await tab.untilShown(/^last-words$/m);

    await tab.stageBar.getByRole('button', { name: 'Restart' }).click();
    await tab.untilLive();
    await tab.untilShown(/^[#$]$/);
    await tab.until(async () => (await tab.sessions.count()) === 1, 'the one before is gone');
    await tab.press('Control+Shift+E');
    await tab.page.keyboard.insertText('web-1');
    await tab.press('Enter');
    await tab.session('web-1').waitFor();
    await tab.enter('kill -9 $$');
    await tab.stageBar.getByText('Ended by SIGKILL.').waitFor();
    await tab.stageBar.getByRole('button', { name: 'Restart' }).click();
    await tab.untilLive();
    await tab.session('web-1').waitFor();
    await tab.until(async () => (await tab.sessions.count()) === 1, 'the one before is gone');
  });

  it('are all back when the page is loaded anew, with what they have printed', async () => {
    const { url } = await serve();
    const tab = await open(url);
    const outputs: string[] = [];
    for (const word of ['one', 'two', 'three']) {
      await tab.newSession();
      await tab.enter(`seq 1 500; printf '\\033[1;32m${word}\\033[0m-is-%s\\n' done`);
      await tab.untilShown(new RegExp(`^${word}-is-done\\n[#$]$`, 'm'));
      outputs.push(await tab.savedOutput());
    }
    await tab.show((await list(url))[1]!.name);
    await tab.page.reload();
    await tab.untilShown(/^two-is-done\n[#$]$/m);

    expect(await tab.sessions.count()).toBe(3);
    for (const [place, output] of outputs.entries()) {
      await tab.sessions.nth(place).locator('.session-show').click();
      await tab.untilShown(/-is-done\n[#$]$/m);
      expect(await tab.savedOutput()).toBe(output);
    }
    await tab.enter('echo goes-on');
    await tab.untilShown(/^goes-on$/m);
  });

  it('have a gap that is told of where they have printed more than is kept', async () => {
    const { url } = await serve({ TREX_LOG_BYTES: String(LOG_BYTES) });
    const tab = await open(url);
    await tab.newSession();
    const last = 9000;
    await tab.enter(`${LINE} 1 ${last}; echo all-of-them`);
    await tab.untilShown(/^all-of-them\n[#$]$/m);
    await tab.page.reload();
    await tab.untilShown(/^all-of-them\n[#$]$/m);

    const [gap, , ...kept] = (await tab.savedOutput()).trimEnd().split('\n');
    expect(gap).toMatch(/^── \d+ KiB of output before this are no longer kept ──$/);
    // The line between was cut in two.
    const first = Number(kept[0]!.slice(0, 6));
    expect(kept.slice(0, -2)).toEqual(numbered(first, last));
    expect((last - first) * 71).toBeGreaterThan(LOG_BYTES - 16_384);
    expect(kept.slice(-2)).toEqual(['all-of-them', expect.stringMatching(/^[#$]$/)]);
  });

  it('can be open in two tabs, which both type, and of which one says the size', async () => {
    const { url } = await serve();
    const tab = await open(url);
    await tab.newSession();
    const size = await tab.size();
    const second = await openBeside(tab, tab.page.url(), { width: 900, height: 500 });
    await second.untilShown(/^[#$]$/);

    await second.enter('echo from-the-second; stty size');
    for (const each of [tab, second]) await each.untilShown(`from-the-second\n${size}`);
    await tab.page.bringToFront();
    await tab.enter('echo from-the-first');
    for (const each of [tab, second]) await each.untilShown(/^from-the-first$/m);
    expect(await second.size()).toBe(size);

    await second.page.bringToFront();
    await second.page.getByTestId('foreign-size').getByRole('button', { name: 'Use my size' }).click();
    await second.until(async () => (await second.size()) !== size, 'the terminal is as large as the window');
    const smaller = await second.size();
    await second.enter('clear; stty size');
    for (const each of [tab, second]) await each.untilShown(new RegExp(`^${smaller}$`, 'm'));
    expect(await tab.size()).toBe(smaller);
    await tab.page.getByTestId('foreign-size').waitFor();
  });

  it('can be watched by a link that does not let type', async () => {
    const { url } = await serve();
    const tab = await open(url);
    await tab.newSession();
    const size = await tab.size();
    await tab.command('Copy read-only link');
    await tab.page.getByTestId('notice').getByText('Copied a link').waitFor();

    const watcher = await open(await tab.clipboard(), { viewport: { width: 800, height: 500 } });
    await watcher.page.getByTestId('read-only').waitFor();
    await watcher.untilShown(/^[#$]$/);
    await watcher.terminal.click();
    await watcher.type('echo not-typed\n');
    await watcher.command('Paste');
    await watcher.press('Escape', 'Control+C');
    await tab.enter('echo seen by all');

    for (const each of [tab, watcher]) await each.untilShown(/^[#$] echo seen by all\nseen by all\n[#$]$/);
    expect(watcher.inputFrames).toBe(0);
    expect([await tab.size(), await watcher.size()]).toEqual([size, size]);
    for (const name of [/^New session/, /^Rename/, /^Close (?!search|dialog)/])
      expect(await watcher.page.getByRole('button', { name }).filter({ visible: true }).count()).toBe(0);
  });
});
