import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Tab } from './support/tab.js';
import { describeInBrowser, useBrowser } from './support/use-browser.js';

const ESC = '\u001b';
const ST = `${ESC}\\`;

/** In answers, which are to be read. */
const SHOWN_ESC = '␛';

/** What a program may ask a terminal, and what it may be answered: nothing where nothing stands. */
const QUESTIONS: readonly (readonly [what: string, asked: string, answered?: string | RegExp])[] = [
  ['the clipboard (OSC 52)', `${ESC}]52;c;?\u0007`],
  ['the selection (OSC 52)', `${ESC}]52;p;?${ST}`],
  ['to set the clipboard (OSC 52)', `${ESC}]52;c;${Buffer.from('stolen').toString('base64')}\u0007`],
  ['to report the title (CSI 21 t)', `${ESC}]2;; echo owned\u0007${ESC}[21t`],
  ['to report the icon title (CSI 20 t)', `${ESC}]1;; echo owned\u0007${ESC}[20t`],
  ['to report the title from the stack', `${ESC}[22t${ESC}[23t${ESC}[21t`],
  [
    'where the window is, and how large (CSI 11, 13, 14, 15, 16, 18, 19 t)',
    [11, 13, 14, 15, 16, 18, 19].map((n) => `${ESC}[${n}t`).join(''),
  ],
  ['for a setting (DECRQSS)', `${ESC}P$qm${ST}${ESC}P$q"p${ST}${ESC}P$q; echo owned${ST}`],
  [
    'for a capability (XTGETTCAP)',
    `${ESC}P+q544e${ST}${ESC}P+q${Buffer.from('; echo owned').toString('hex')}${ST}`,
  ],
  ['for its answerback (ENQ)', '\u0005'],
  ['for a checksum of the screen (DECRQCRA)', `${ESC}[1;1;1;1;10;10*y`],
  ['for a file (OSC 1337, 7770)', `${ESC}]1337;ReportVariable=YQ==\u0007${ESC}]7770;?\u0007`],
  // What programs choose their colours and their way by; no text of anybody's can be in it.
  [
    'for its colours (OSC 4, 10, 11, 12)',
    ['4;1', '10', '11', '12'].map((n) => `${ESC}]${n};?${ST}`).join(''),
    /^(␛\](4;1|1[012]);rgb:([0-9a-f]{4}\/){2}[0-9a-f]{4}␛\\){4}$/,
  ],
  ['for its modes (DECRQM)', `${ESC}[?2026$p${ESC}[4$p`, /^␛\[\?2026;\d\$y␛\[4;\d\$y$/],
  ['for its name (XTVERSION)', `${ESC}[>q`],
  ['for its keys (kitty)', `${ESC}[?u`],
  ['for its id (DA1)', `${ESC}[c`, /^␛\[\?[\d;]+c$/],
  ['for its version (DA2)', `${ESC}[>c`, /^␛\[>[\d;]+c$/],
  ['for its state (DSR)', `${ESC}[5n`, `${SHOWN_ESC}[0n`],
  ['where the cursor is (CPR)', `${ESC}[4;7H${ESC}[6n`, `${SHOWN_ESC}[4;7R`],
];

/** What each would hang an emulator for minutes or for ever, at the upper left or the lower right corner. */
const HANGING: readonly string[] = [
  ...['S', 'T', 'L', 'M', 'I', 'Z'].map((final) => `${ESC}[H${ESC}[2147483647${final}`),
  `${ESC}[H${ESC}[1000000S`,
  `${ESC}[Hx${ESC}[50000000b`,
  ...['1J', '?1J'].map((erase) => `${ESC}[999;999H${ESC}[${erase}`),
];

/** Stands between two answers: what is answered to who asks for a cursor that is there. */
const FENCE = `${ESC}[3;3H${ESC}[6n`;
const FENCED = `${SHOWN_ESC}[3;3R`;

/** Prints the file `$1`, and keeps in `answers` what comes within two seconds after the last of it. */
const ASK =
  'saved=$(stty -g); stty raw -echo min 0 time 20; cat "$1"; cat >answers; stty "$saved"; echo asked';

describeInBrowser('T27 · a program that prints what it likes', () => {
  const { serve, open } = useBrowser();

  async function withShell(): Promise<{ tab: Tab; url: string; home: string }> {
    const { url, home } = await serve();
    const tab = await open(url);
    await tab.newSession();
    return { tab, url, home };
  }

  let prints = 0;
  /** A program prints it; resolves when it has been parsed. */
  async function print(tab: Tab, home: string, text: string): Promise<void> {
    writeFileSync(join(home, 'printed'), text);
    await tab.enter(`clear; cat printed; echo; echo prin"ted"-${++prints}`);
    await tab.untilShown(new RegExp(`^printed-${prints}$`, 'm'));
  }

  it('types nothing into its shell but what terminals answer as to which and how they are', async () => {
    const { tab, home } = await withShell();
    await tab.setClipboard('of the user');
    writeFileSync(join(home, 'ask'), ASK);
    writeFileSync(join(home, 'questions'), QUESTIONS.map(([, asked]) => asked + FENCE).join(''));
    await tab.enter('sh ask questions');
    await tab.untilShown(/asked$/m);

    const answers = readFileSync(join(home, 'answers'), 'latin1').replaceAll(ESC, SHOWN_ESC).split(FENCED);
    for (const [place, [what, , answered = '']] of QUESTIONS.entries()) {
      const right = typeof answered === 'string' ? answered : (expect.stringMatching(answered) as string);
      expect({ what, answered: answers[place] }).toEqual({ what, answered: right });
    }
    expect(answers.slice(QUESTIONS.length)).toEqual(['']);
    expect(await tab.clipboard()).toBe('of the user');
    expect(tab.opened).toEqual([]);
    await tab.enter('clear; echo nothing-typed');
    await tab.untilShown(/^nothing-typed\n[#$]$/);
  });

  it('is not answered again when it is only shown again', async () => {
    const { tab, home } = await withShell();
    writeFileSync(join(home, 'ask'), ASK);
    writeFileSync(join(home, 'questions'), QUESTIONS.map(([, asked]) => asked).join(''));
    writeFileSync(join(home, 'nothing'), '');
    await tab.enter('sh ask questions; clear; echo waiting; stty raw -echo; cat >typed');
    await tab.untilShown(/^waiting/m);
    const before = tab.inputFrames;
    await tab.page.reload();
    await tab.untilShown(/^waiting/m);
    await tab.type('x');
    const typed = (): string => readFileSync(join(home, 'typed'), 'latin1');
    await tab.until(() => Promise.resolve(typed() !== ''), 'a key is typed');
    expect(typed()).toBe('x');
    expect(tab.inputFrames).toBe(before + 1);
  });

  it('hangs no tab by a few bytes, nor the one that is loaded anew', async () => {
    const { tab, home } = await withShell();
    const isFresh = `${ESC}c`;
    writeFileSync(join(home, 'hanging'), HANGING.map((hanging) => isFresh + hanging).join(''));
    await tab.enter('cat hanging; clear; echo goes"-"on');
    await tab.untilShown(/^goes-on$/m);
    await tab.page.reload();
    await tab.untilShown(/^goes-on$/m);
    await tab.enter('clear; echo types');
    await tab.untilShown(/^types$/m);
  });

  it('opens nothing by a link to what is no page', async () => {
    const { tab, home } = await withShell();
    const address = tab.page.url();
    const targets = [
      'javascript:window.open("about:blank");alert(1)',
      'data:text/html,<script>alert(1)</script>',
      'file:///etc/passwd',
      'vbscript:alert(1)',
      ' javascript:alert(1)',
      'java\tscript:alert(1)',
      '//elsewhere.example/',
      'mailto:somebody@example.com',
    ];
    for (const target of targets) {
      const plain = target.replaceAll(/\s/g, '');
      await print(tab, home, `${ESC}]8;;${target}${ST}click-me${ESC}]8;;${ST}\r\n${plain}`);
      for (const text of ['click-me', plain.slice(0, 12)]) {
        await tab.clickText(text);
        await tab.page.evaluate(() => new Promise(requestAnimationFrame));
        const happened = { dialogs: await tab.page.getByRole('dialog').count(), opened: tab.opened };
        expect({ target, text, ...happened }).toEqual({ target, text, dialogs: 0, opened: [] });
      }
    }
    expect(tab.page.url()).toBe(address);
    await tab.enter('clear; echo nothing-happened');
    await tab.untilShown(/^nothing-happened\n[#$]$/);
  });

  it('is followed to a page when its user says so, who is shown where that is', async () => {
    const { tab, url, home } = await withShell();
    const target = `${url}icon.svg?really`;
    await print(
      tab,
      home,
      `${ESC}]8;;${target}${ST}https://good.example/${ESC}]8;;${ST}\r\n${url}icon.svg?plain`,
    );
    const question = tab.dialog('Open this link?');
    await tab.clickText('https://good.example/');
    await question.waitFor();
    expect(await tab.page.getByTestId('link-url').innerText()).toBe(target);
    await tab.leaveDialog();
    expect(tab.opened).toEqual([]);

    await tab.clickText('icon.svg?plain');
    expect(await tab.page.getByTestId('link-url').innerText()).toBe(`${url}icon.svg?plain`);
    await question.getByRole('button', { name: 'Cancel' }).click();
    expect(tab.opened).toEqual([]);

    await tab.clickText('https://good.example/');
    const [opened] = await Promise.all([
      tab.page.context().waitForEvent('page'),
      question.getByRole('button', { name: 'Open' }).click(),
    ]);
    await opened.waitForURL(target);
    expect(await opened.evaluate(() => [String(window.opener), document.referrer])).toEqual(['null', '']);
    await opened.close();
  });

  it('is text wherever the page shows what it calls itself, or where it is', async () => {
    const { tab, url, home } = await withShell();
    const name = '<img src=x onerror=alert(1)>"\'&amp;';
    const title = '</bdi><script>alert(2)</script>\u202e\u2066<b>bold</b>';
    const [{ id }] = (await (await fetch(`${url}api/sessions`)).json()) as [{ id: string }];
    const renamed = await fetch(`${url}api/sessions/${id}`, {
      method: 'PATCH',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ name }),
    });
    expect(renamed.status).toBe(200);
    mkdirSync(join(home, '<i>here</i>', 'and'), { recursive: true });
    await print(tab, home, `${ESC}]2;${title}\u0007`);
    await tab.enter('cd "<i>here</i>/and"');

    const shownTitle = title.replace(/[\u202e\u2066]/g, '');
    await tab.session(name).waitFor();
    await tab.page.getByTestId('title').getByText(shownTitle).waitFor();
    await tab.until(async () => (await tab.page.title()).includes(name), 'the tab is called so');
    await tab.sidebar.getByText('<i>here</i>/and').waitFor();
    expect(await tab.session(name).locator('.session-show').getAttribute('title')).toContain(shownTitle);
    await tab.press('Control+Shift+K');
    await tab.page.getByRole('option', { name: `Go to ${name}` }).waitFor();
    await tab.leaveDialog();
    await tab.press('Control+Shift+X');
    await tab.page.getByTestId('confirm-close').getByText(name.slice(0, 20)).waitFor();
    const made = 'img, i:not(.swatch i), b, body script';
    expect(await tab.page.locator(made).count()).toBe(0);
    expect(await tab.page.evaluate(() => document.querySelectorAll('script').length)).toBe(1);
  });
});
