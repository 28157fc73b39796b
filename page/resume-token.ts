/** Where a tab keeps what outlives a reload; `sessionStorage` is one. */
export type TabStorage = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;

const KEY = 'trex.resumeToken';

/**
 * The token by which a page that is loaded anew goes on as the client it was. It lies in the tab's storage only while no
 * page of that tab is there: a tab that is duplicated copies the storage, and two pages with one token would take each
 * other's place for ever. So whoever takes it leaves none behind.
 */
export function takeResumeToken(storage: TabStorage | undefined): string | undefined {
  const token = storage?.getItem(KEY) ?? undefined;
  storage?.removeItem(KEY);
  return token;
}

/** For the next page of this tab, when this one is left. */
export function leaveResumeToken(storage: TabStorage | undefined, token: string | undefined): void {
  if (token === undefined) return;
  try {
    storage?.setItem(KEY, token);
  } catch {
    // Full or forbidden: the next page is a new client, which finds the same sessions.
  }
}
