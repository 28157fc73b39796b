import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { useClientPackage } from '../client/client-package.js';
import { describeInBrowser, useBrowser } from './support/use-browser.js';

const README = readFileSync(resolve(__dirname, '../../client/README.md'), 'utf8');
const EXAMPLE = /^```ts\n(?<code>.*?)^```$/ms.exec(README)!.groups!.code!;
const BUNDLE = `require('esbuild').buildSync({
  entryPoints: ['page.ts'], outdir: 'out', bundle: true, format: 'esm', platform: 'browser',
})`;
const HTML = '<!doctype html><style>body { height: 100vh; margin: 0 }</style>';

describeInBrowser('the example of a page in README.md of the client', () => {
  const project = useClientPackage(['@xterm/xterm', '@xterm/addon-fit', 'esbuild']);
  const { serve, open } = useBrowser();

  /** The style sheet, and the script. By a process of its own, which is gone then. */
  async function bundled(): Promise<Record<'css' | 'js', string>> {
    project().write('page.ts', EXAMPLE);
    project().write('bundle.cjs', BUNDLE);
    await project().node(['bundle.cjs']);
    const built = (name: string): string => readFileSync(join(project().folder, 'out', name), 'utf8');
    return { css: built('page.css'), js: built('page.js') };
  }

  it('shows a terminal as large as the window, which is typed into', async () => {
    const { url } = await serve();
    const { css, js } = await bundled();
    // A document of the server's origin that is not its page, nor bound by that page's policy.
    const tab = await open(`${url}api/health`, { bypassCSP: true });
    tab.allowFault(/favicon\.ico/);
    await tab.page.setContent(HTML);
    await tab.page.addStyleTag({ content: css });
    await tab.page.addScriptTag({ content: js, type: 'module' });
    const row = (text: RegExp): Promise<void> =>
      tab.page.locator('.xterm-rows > div').filter({ hasText: text }).waitFor();
    await row(/^[#$]/);
    await tab.page.locator('.xterm').click();
    await tab.enter('echo answer-$((6 * 7)) $(stty size)');
    await row(/^answer-42 [1-9]\d+ [1-9]\d+\s*$/);
    const size = async (): Promise<string> => {
      await tab.enter('clear; echo size $(stty size)');
      await row(/^size \d+ \d+\s*$/);
      return tab.page.locator('.xterm-rows > div').filter({ hasText: /^size/ }).innerText();
    };
    const before = await size();
    await tab.page.setViewportSize({ width: 700, height: 400 });
    await tab.until(async () => (await size()) !== before, 'the terminal is as small as the window');
  });
});
