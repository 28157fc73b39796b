import { source } from 'axe-core';
import type axe from 'axe-core';
import { newToken } from '../../src/admission/access-token.js';
import { type Tab } from './support/tab.js';
import { describeInBrowser, useBrowser } from './support/use-browser.js';

/** What keeps somebody from using the page. */
const GRAVE = ['serious', 'critical'];

describeInBrowser.each(['light', 'dark'] as const)(
  'everybody can use the page in its %s colours',
  (colorScheme) => {
    const { serve, open } = useBrowser();
    const look = { colorScheme, script: source };

    async function expectUsable(tab: Tab, state: string): Promise<void> {
      const violations = await tab.page.evaluate(async () => {
        // Colours that fade in are not those that are read.
        for (const animation of document.getAnimations()) {
          if (animation.effect?.getComputedTiming().endTime === Infinity) animation.cancel();
          else animation.finish();
        }
        const { axe: checker } = window as unknown as { axe: typeof axe };
        return (await checker.run(document, { resultTypes: ['violations'] })).violations;
      });
      const grave = violations
        .filter(({ impact }) => GRAVE.includes(impact ?? ''))
        .flatMap(({ id, impact, nodes }) =>
          nodes.map(({ target, failureSummary }) => ({ id, impact, target, failureSummary })),
        );
      expect({ state, grave }).toEqual({ state, grave: [] });
    }

    it('with nothing in it, with terminals, and with all that it asks', async () => {
      const { url } = await serve();
      const tab = await open(url, look);
      await tab.page.getByRole('heading', { name: 'No sessions yet' }).waitFor();
      await expectUsable(tab, 'without sessions');

      await tab.newSession();
      await tab.enter("printf '\\033[3%dmcolour\\033[9%dmbright\\033[0m\\n' 0 0 1 1 2 2 3 3 4 4 5 5 6 6 7 7");
      await tab.untilShown(/^colourbright\n[#$]$/m);
      await tab.newSession();
      await tab.enter('exit 3');
      await tab.stageBar.getByText('Exited with code 3.').waitFor();
      await expectUsable(tab, 'an ended session');
      await tab.sessions.first().locator('.session-show').click();
      await tab.untilShown(/^colourbright$/m);
      await expectUsable(tab, 'a terminal');

      await tab.press('Control+Shift+F');
      await tab.type('colour');
      await tab.page.getByTestId('search-count').getByText(/ of /).waitFor();
      await expectUsable(tab, 'a search');
      await tab.press('Escape');

      await tab.press('Control+Shift+E');
      await expectUsable(tab, 'a new name');
      await tab.press('Escape', 'Control+Shift+X');
      await tab.page.getByTestId('confirm-close').waitFor();
      await expectUsable(tab, 'whether to close');
      await tab.press('Escape');

      for (const name of ['Commands', 'Settings', 'Keys']) {
        await tab.button(name).click();
        await tab.dialog(name).waitFor();
        await expectUsable(tab, name);
        await tab.leaveDialog();
      }
      await tab.setClipboard('one\ntwo\n');
      await tab.press('Control+Shift+V');
      await tab.dialog('Paste 2 lines?').waitFor();
      await expectUsable(tab, 'whether to paste');
      await tab.leaveDialog();
    });

    it('where it asks for a token', async () => {
      const { url } = await serve({ TREX_TOKEN: newToken() });
      const tab = await open(url, look);
      await tab.page.getByRole('heading', { name: 'Log in' }).waitFor();
      await expectUsable(tab, 'a login');
      tab.expectFault(/^console: Failed to load resource: .* status of 401/);
      await tab.page.getByLabel('Token').fill('wrong');
      await tab.press('Enter');
      await tab.page.getByText('That is not the token.').waitFor();
      await expectUsable(tab, 'a wrong token');
    });

    it('on a phone', async () => {
      const { url } = await serve();
      const tab = await open(url, {
        ...look,
        viewport: { width: 390, height: 844 },
        isMobile: true,
        hasTouch: true,
      });
      await tab.page.getByTestId('empty').getByRole('button', { name: 'New session' }).tap();
      await tab.untilShown(/^[#$]$/);
      await expectUsable(tab, 'a terminal');
      await tab.button('Toggle sidebar').tap();
      await tab.sidebar.waitFor();
      await expectUsable(tab, 'the drawer');
    });

    it('without a server', async () => {
      const { program, url } = await serve({});
      const tab = await open(url, look);
      await tab.newSession();
      tab.loseServer();
      await program.kill();
      await tab.page.getByText('The connection is lost.').waitFor();
      await expectUsable(tab, 'a lost connection');
    });
  },
);
