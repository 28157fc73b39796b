/** Called while its user presses a key or the mouse. @returns whether it is on the clipboard: a browser may forbid it */
export async function copyText(text: string): Promise<boolean> {
  try {
    // Over plain HTTP from elsewhere there is no such thing, whatever its type says.
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyByCommand(text);
  }
}

/** The old way, which browsers still have for pages that came over plain HTTP. */
function copyByCommand(text: string): boolean {
  let isTaken = false;
  // It gives the text itself, so that nothing else has to be selected, and the focus stays.
  const give = (event: ClipboardEvent): void => {
    event.preventDefault();
    event.stopImmediatePropagation();
    event.clipboardData?.setData('text/plain', text);
    isTaken = true;
  };
  document.addEventListener('copy', give, true);
  try {
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- There is no other way there.
    return document.execCommand('copy') && isTaken;
  } finally {
    document.removeEventListener('copy', give, true);
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
