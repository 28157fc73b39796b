import { mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium } from 'playwright-core';
import { build, BUILD_MS } from '../../support/build.js';
import { expectClean, type Holdings, holdings } from '../../support/leaks.js';
import { type Program, type Start, useBuiltProgram } from '../../support/program.js';
import { until } from '../../support/until.js';
import { Tab } from './tab.js';

/** A server that runs as its user started it, with shells of nobody's settings. */
export interface RunningServer {
  readonly program: Program;
  readonly url: string;
  /** Home of its shells. */
  readonly home: string;
}

export interface TestBrowser {
  /** A server without sessions; with an environment, be it empty, one of this test's own. */
  readonly serve: (env?: Record<string, string>) => Promise<RunningServer>;
  /** Another user's browser, with a tab at that address. */
  readonly open: (url: string, options?: OpenOptions) => Promise<Tab>;
  /** Another tab of the same browser. */
  readonly openBeside: (tab: Tab, url: string, size?: Size) => Promise<Tab>;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface OpenOptions extends BrowserContextOptions {
  /** What runs in each page before its own. */
  readonly script?: string;
}

const CLOSING_MS = 15_000;

/** Where there is no browser, its tests are skipped; see find-browser.ts. */
export const describeInBrowser: jest.Describe =
  process.env.TREX_TEST_BROWSER === undefined ? describe.skip : describe;

/** A browser for the surrounding `describe`; what a test has opened in it and started is gone after the test. */
export function useBrowser(): TestBrowser {
  const contexts: BrowserContext[] = [];
  const tabs = new Map<Tab, BrowserContext>();
  let browser: Browser;
  let baseline: Holdings;
  let home = '';
  let shared: RunningServer | undefined;

  beforeAll(async () => {
    await build('server');
    await build('page');
    baseline = holdings();
    home = realpathSync(mkdtempSync(join(tmpdir(), 'trex-home-')));
    browser = await chromium.launch({
      executablePath: process.env.TREX_TEST_BROWSER,
      // Root has no sandbox to start it in.
      chromiumSandbox: process.getuid?.() !== 0,
    });
  }, BUILD_MS);
  // Before the servers are ended, which would be a fault to a tab.
  afterEach(async () => {
    const opened = [...tabs.keys()];
    tabs.clear();
    try {
      for (const tab of opened) tab.check();
    } finally {
      await Promise.all(contexts.splice(0).map((context) => context.close()));
      if (shared) await closeSessions(shared.url);
    }
  });
  const startOwn = useBuiltProgram();
  // It takes as long to start as many a test.
  const startShared = useBuiltProgram(afterAll);
  afterEach(() => {
    for (const name of readdirSync(home)) rmSync(join(home, name), { recursive: true });
  });
  afterAll(async () => {
    await browser.close();
    rmSync(home, { recursive: true });
    await expectClean(baseline, CLOSING_MS);
  });

  const serveBy = async (start: Start, env: Record<string, string>): Promise<RunningServer> => {
    const program = await start([], { HOME: home, TREX_SHELL: '/bin/sh', ...env }).listening();
    return { program, url: `http://127.0.0.1:${program.port}/`, home };
  };
  const openIn = async (context: BrowserContext, url: string): Promise<Tab> => {
    const tab = new Tab(await context.newPage());
    tabs.set(tab, context);
    await tab.page.goto(url);
    return tab;
  };
  return {
    async serve(env) {
      if (env) return serveBy(startOwn, env);
      return (shared ??= await serveBy(startShared, {}));
    },
    async open(url, { script, ...options } = {}) {
      const context = await browser.newContext({ viewport: { width: 1200, height: 760 }, ...options });
      contexts.push(context);
      await context.grantPermissions(['clipboard-read', 'clipboard-write']);
      await context.addInitScript(tellViolations);
      if (script !== undefined) await context.addInitScript(script);
      return openIn(context, url);
    },
    async openBeside(tab, url, size) {
      const beside = await openIn(tabs.get(tab)!, url);
      if (size) await beside.page.setViewportSize(size);
      return beside;
    },
  };
}

async function closeSessions(url: string): Promise<void> {
  const list = async (): Promise<{ id: string }[]> =>
    (await (await fetch(`${url}api/sessions`)).json()) as { id: string }[];
  for (const { id } of await list()) await fetch(`${url}api/sessions/${id}`, { method: 'DELETE' });
  await until(async () => (await list()).length === 0, 'all sessions are closed', CLOSING_MS);
}

/** Runs in the page. */
function tellViolations(): void {
  document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI, sample }) => {
    console.error(`against the policy: ${violatedDirective} ${blockedURI} ${sample}`);
  });
}
