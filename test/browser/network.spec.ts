import { setTimeout as pass } from 'node:timers/promises';
import { type Cut, CuttingProxy } from '../support/cutting-proxy.js';
import { type Tab } from './support/tab.js';
import { describeInBrowser, useBrowser } from './support/use-browser.js';

const FILLER = 'x'.repeat(80);

/** Prints lines that tell their number. */
function printing(from: number, to: number): string {
  return `seq -f '%06.0f ${FILLER}' ${from} ${to}`;
}

function numbered(from: number, to: number): string[] {
  const lines: string[] = [];
  for (let line = from; line <= to; line++) lines.push(`${String(line).padStart(6, '0')} ${FILLER}`);
  return lines;
}

const TYPED = "printf '\\ntyped-%s\\n' meanwhile";

describeInBrowser('what the network and the server do to the page', () => {
  const { serve, open } = useBrowser();
  const proxies: CuttingProxy[] = [];
  afterEach(async () => {
    await Promise.all(proxies.splice(0).map((proxy) => proxy.close()));
  });

  /** A tab behind a proxy, with one session. */
  async function behindProxy(): Promise<{ tab: Tab; proxy: CuttingProxy }> {
    const { program } = await serve();
    const proxy = await CuttingProxy.start(program.port);
    proxies.push(proxy);
    const tab = await open(`http://127.0.0.1:${proxy.port}/`);
    await tab.newSession();
    return { tab, proxy };
  }

  it('a flood of 200,000 lines and more leaves the other session quick, and arrives whole', async () => {
    const { url } = await serve();
    const tab = await open(url);
    await tab.newSession();
    await tab.newSession();
    const [flooding, quick] = ['0', '1'].map((place) =>
      tab.sessions.nth(Number(place)).locator('button').first(),
    );
    await tab.enter('cat');
    const keys = 'abcdefghijklmnopqrst';
    const quiet = median(await tab.echoTimes(keys));
    await tab.press('Enter', 'Control+D');
    await tab.untilShown(/^[#$]$/m);

    await flooding!.click();
    await tab.enter(
      `while [ ! -e enough ]; do ${printing(1, 5000)}; done; ${printing(1, 200_000)}; echo the-end`,
    );
    await tab.untilShown(/^\d{6} x+$/m);
    await quick!.click();
    await tab.enter('clear; cat');
    await tab.untilShown(/^$/);
    const before = tab.outputBytes;
    const busy = median(await tab.echoTimes(keys));
    const floodBytes = tab.outputBytes - before;
    await tab.press('Enter', 'Control+D');
    await tab.enter('touch enough; echo that-was-enough');
    await tab.untilShown(/^that-was-enough$/m);
    expect(floodBytes).toBeGreaterThan(200_000);
    // Alone on two cores it is some 30 ms; a machine that is busy otherwise is no failure.
    expect({ quiet, busy, isQuick: busy < 150 + 10 * quiet }).toMatchObject({ isQuick: true });

    await flooding!.click();
    await tab.untilShown(/^the-end\n[#$]$/m, 120_000);
    const lines = (await tab.savedOutput()).trimEnd().split('\n').slice(0, -2);
    expect(lines.length).toBeGreaterThan(9000);
    expect(lines).toEqual(numbered(200_001 - lines.length, 200_000));
  });

  it.each<Cut>(['reset', 'silence'])(
    'a network that is gone for 10 s in the middle of a flood loses nothing (%s)',
    async (how) => {
      const { tab, proxy } = await behindProxy();
      await tab.setScrollback(50_000);
      await tab.enter(`${printing(1, 50_000)}; echo the-end`);
      const passed = (): number => Math.max(...proxy.connections.map(({ toClient }) => toClient.passedBytes));
      await proxy.until(() => passed() > 1_000_000, 'the flood is in its middle');
      tab.loseServer();
      proxy.cut(how);
      proxy.beginOutage('reset');
      const shown = passed();
      // The outage is as long as this: nobody is waited for.
      const outage = pass(10_000);
      if (how === 'reset') {
        await tab.page
          .locator('[data-testid=connection]:is([data-link=waiting], [data-link=connecting])')
          .waitFor();
        await tab.page.getByText('The connection is lost. Sessions go on').waitFor();
        await tab.enter(TYPED);
      }
      await outage;
      expect(shown).toBeLessThan(3_000_000);
      proxy.cut('reset');
      await proxy.endOutage();

      await tab.untilLink('open');
      await tab.untilShown(/^the-end\n/m, 60_000);
      expect(await tab.page.getByText('The connection is lost.').isVisible()).toBe(false);
      if (how === 'reset') await tab.untilShown(/^typed-meanwhile\n[#$]$/m);
      const lines = (await tab.savedOutput()).split('\n');
      const first = lines.indexOf(`000001 ${FILLER}`);
      expect(lines.slice(0, first).join('\n')).toMatch(/^[#$] seq -f .*echo the-end$/);
      // What was typed is echoed wherever it arrives.
      const printed = lines.slice(first, lines.indexOf('the-end')).map((line) => line.replace(TYPED, ''));
      expect(printed.filter((line) => line !== '')).toEqual(numbered(1, 50_000));
      expect(lines.filter((line) => line === 'typed-meanwhile')).toHaveLength(how === 'reset' ? 1 : 0);
    },
  );

  it.each<NodeJS.Signals>(['SIGTERM', 'SIGKILL'])(
    'a server that was restarted (%s) is told of, and new sessions run',
    async (signal) => {
      const { program, url } = await serve({});
      const tab = await open(url);
      await tab.newSession();
      await tab.enter('echo of-before');
      await tab.untilShown(/^of-before$/m);
      tab.loseServer();
      program.signal(signal);
      await program.ended();
      await tab.page.getByText('The connection is lost.').waitFor();
      await tab.until(async () => (await tab.link) === 'waiting', 'a try has failed');

      await serve({ TREX_PORT: String(program.port) });
      await tab.untilLink('restarted');
      await tab.page
        .getByText('The server was restarted, and the sessions that ran in it are gone.')
        .waitFor();
      await tab.untilShown(/^of-before$/m);
      await tab.stageBar.getByRole('button', { name: 'Restart' }).waitFor();

      await tab.button('OK').click();
      await tab.untilLink('open');
      await tab.newSession();
      await tab.enter('echo of-now');
      await tab.untilShown(/^of-now$/m);
      await tab.sessions
        .first()
        .getByRole('button', { name: /^Close / })
        .click();
      await tab.until(async () => (await tab.sessions.count()) === 1, 'the old one is put away');
      await tab.untilShown(/^of-now$/m);
    },
  );

  /**
   * Sessions, of which the page that was loaded anew shows the last, and keeps all but the first: the attaches it asks for
   * from then on.
   */
  async function withOneUnseen(tab: Tab): Promise<string[]> {
    await tab.newSession();
    await tab.setScrollback(50_000);
    await tab.enter('echo in-the-first');
    for (let kept = 1; kept <= 4; kept++) await tab.newSession();
    await tab.enter('echo in-the-second');
    await tab.untilShown(/^in-the-second$/m);
    const attaches: string[] = [];
    let answered = 0;
    tab.page.on('websocket', (socket) => {
      socket.on('framesent', ({ payload }) => {
        if (String(payload).includes('"attach"')) attaches.push(String(payload));
      });
      socket.on('framereceived', ({ payload }) => {
        if (String(payload).includes('"attached"')) answered++;
      });
    });
    // The browser comes to the icon when it likes.
    tab.allowFault(/\/icon\.svg\b/);
    await tab.page.reload();
    await tab.untilShown(/^in-the-second$/m);
    // What is not answered is rightly asked again.
    await tab.until(() => Promise.resolve(answered === 4), 'all that are kept are attached');
    return attaches;
  }

  it('a session that is chosen while the network is gone is asked for once when it is back', async () => {
    const { program } = await serve();
    const proxy = await CuttingProxy.start(program.port);
    proxies.push(proxy);
    const tab = await open(`http://127.0.0.1:${proxy.port}/`);
    const attaches = await withOneUnseen(tab);
    tab.loseServer();
    proxy.cut('reset');
    proxy.beginOutage('reset');
    await tab.page.getByText('The connection is lost.').waitFor();
    attaches.length = 0;
    await tab.sessions.first().locator('button').first().click();
    await tab.page.locator('[data-testid=terminal][data-state=waiting]:not([hidden])').waitFor();
    await tab.setClipboard('pasted');
    await tab.type('echo typed"-"and-');
    await tab.command('Paste');
    // The page has read it, too.
    await tab.clipboard();
    await tab.press('Enter');
    await proxy.endOutage();
    await tab.untilShown(/^in-the-first$/m);
    await tab.untilShown(/^typed-and-pasted$/m);
    await tab.enter('echo still-there');
    await tab.untilShown(/^still-there$/m);
    expect(attaches).toHaveLength(1);
  });

  it('a session that was chosen before the server was restarted is none of the new server’s', async () => {
    const { program, url } = await serve({});
    const tab = await open(url);
    const attaches = await withOneUnseen(tab);
    tab.loseServer();
    program.signal('SIGKILL');
    await program.ended();
    await tab.page.getByText('The connection is lost.').waitFor();
    attaches.length = 0;
    await tab.sessions.first().locator('button').first().click();
    await serve({ TREX_PORT: String(program.port) });
    await tab.untilLink('restarted');
    await tab.until(async () => (await tab.sessions.count()) === 3, 'only what was kept can be read');
    await tab.sessions.last().locator('button').first().click();
    await tab.untilShown(/^in-the-second$/m);
    expect(attaches).toEqual([]);
  });

  it('a network that swallows everything is told of while nobody knows yet that the connection is lost', async () => {
    const { tab, proxy } = await behindProxy();
    tab.loseServer();
    proxy.cut('silence');
    await tab.type('echo typed-meanwhile');
    await tab.page.getByText('Not answering').waitFor();
    await tab.button('Reconnect').click();
    await tab.untilShown(/echo typed-meanwhile$/);
    await tab.page.getByText('Not answering').waitFor({ state: 'hidden' });
    await tab.press('Enter');
    await tab.untilShown(/^typed-meanwhile\n[#$]$/m);
  });

  it('a server that takes no more connections is told of as such, until it does', async () => {
    const { url } = await serve({ TREX_MAX_CONNECTIONS_PER_PEER: '1' });
    const first = await open(url);
    await first.untilLink('open');
    const second = await open(url);
    second.expectFault(/^console: WebSocket connection to '.*\/ws' failed: .* 503/);
    await second.page
      .getByText(/takes no WebSocket: too many connections are open \(close other tabs\)/)
      .waitFor();
    await first.page.close();
    await second.untilLink('open');
    await second.page.getByRole('heading', { name: 'No sessions yet' }).waitFor();
  });

  it('a session that has no room for this page any more can be tried again, and is not closed for others', async () => {
    const { program, url } = await serve({ TREX_MAX_VIEWERS: '1', TREX_RESUME_SECONDS: '1' });
    const proxy = await CuttingProxy.start(program.port);
    proxies.push(proxy);
    const tab = await open(`http://127.0.0.1:${proxy.port}/`);
    await tab.newSession();
    await tab.enter('echo of-before');
    await tab.untilShown(/^of-before\n[#$]$/m);
    tab.loseServer();
    proxy.cut('reset');
    proxy.beginOutage('reset');
    const other = await open(url);
    await other.sessions.first().locator('.session-show').click();
    await other.until(async () => {
      await other.tryAgain();
      return (await other.screen()).includes('of-before');
    }, 'the other has the place');
    await proxy.endOutage();
    await tab.stageBar.getByText('This session cannot be shown: as many look at it as may').waitFor();
    expect(await tab.stageBar.getByRole('button').allInnerTexts()).toEqual(['Try again']);

    await other.enter('echo of-meanwhile');
    await other.untilShown(/^of-meanwhile$/m);
    await other.page.close();
    // Its place is kept for a moment.
    await tab.until(async () => {
      await tab.tryAgain();
      return (await tab.screen()).includes('of-meanwhile');
    }, 'there is a place again');
    await tab.untilShown(/^of-before\n[#$] echo of-meanwhile\nof-meanwhile\n[#$]$/m);
    await tab.enter('echo of-now');
    await tab.untilShown(/^of-now$/m);
  });

  it('a page that is loaded anew in mid-flood goes on with it', async () => {
    const { url } = await serve();
    const tab = await open(url);
    await tab.newSession();
    await tab.enter(
      `while [ ! -e enough ]; do ${printing(1, 999)}; done; ${printing(1, 5000)}; echo the-end`,
    );
    await tab.untilShown(/^\d{6} x+$/m);
    await tab.page.reload();
    await tab.untilShown(/^\d{6} x+$/m);
    await tab.newSession();
    await tab.enter('touch enough');
    await tab.sessions.first().locator('button').first().click();
    await tab.untilShown(/^the-end\n[#$]$/m, 60_000);
    const lines = (await tab.savedOutput()).trimEnd().split('\n');
    expect(lines.slice(-5002, -2)).toEqual(numbered(1, 5000));
  });
});

function median(numbers: readonly number[]): number {
  return [...numbers].sort((one, other) => one - other)[Math.floor(numbers.length / 2)]!;
}
