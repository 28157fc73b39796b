interface Target {
  addEventListener(type: string, listener: () => void): void;
  removeEventListener(type: string, listener: () => void): void;
}

/** What browsers have and Node has not, each with types of its own. */
interface Page extends Target {
  readonly document?: Target & { readonly visibilityState: string };
}

const page = (): Page => globalThis as unknown as Page;

/** Whether this runs in a page that nobody sees. Its timers are a second late there, and up to a minute. */
export function isPageHidden(): boolean {
  return page().document?.visibilityState === 'hidden';
}

/**
 * For pages: makes sure of the connection whenever the page is shown again and whenever the network is back, rather than
 * when a timer comes to it. Outside of a browser it does nothing. @returns what ends that
 */
export function whenVisible(client: { check(): void }): () => void {
  const { document } = page();
  if (!document) return () => undefined;
  const shown = (): void => {
    if (!isPageHidden()) client.check();
  };
  const online = (): void => client.check();
  document.addEventListener('visibilitychange', shown);
  page().addEventListener('online', online);
  return () => {
    document.removeEventListener('visibilitychange', shown);
    page().removeEventListener('online', online);
  };
}
