/** @returns whether it is on the clipboard: a browser may forbid it, and does over plain HTTP from elsewhere */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

/** @returns nothing where the browser does not let the page read it */
export async function readText(): Promise<string | undefined> {
  try {
    return await navigator.clipboard.readText();
  } catch {
    return undefined;
  }
}

const DOWNLOAD_BEGUN_MS = 10_000;

/** Gives a text to the user as a file. */
export function saveText(name: string, text: string): void {
  const address = URL.createObjectURL(new Blob([text], { type: 'text/plain' }));
  const link = document.createElement('a');
  link.href = address;
  link.download = `${name.replaceAll(/[^\w.-]+/g, '_')}.txt`;
  link.click();
  window.setTimeout(() => URL.revokeObjectURL(address), DOWNLOAD_BEGUN_MS);
}
