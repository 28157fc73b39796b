/** An address that may be opened from a terminal, which shows anybody's text: a web page, and nothing else. */
export function openableUrl(text: string): URL | undefined {
  const url = URL.parse?.(text) ?? parse(text);
  return url && (url.protocol === 'http:' || url.protocol === 'https:') ? url : undefined;
}

/** Older browsers have no `URL.parse`. */
function parse(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}
