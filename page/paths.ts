/** The end of a path, in whole names as far as that goes, in at most so many characters: `…/src/page`. */
export function shortenPath(path: string, most: number): string {
  const characters = Array.from(path);
  if (characters.length <= most) return path;
  const names = path.split('/').filter((name) => name !== '');
  let kept = '';
  for (const name of names.reverse()) {
    const longer = `/${name}${kept}`;
    if (Array.from(longer).length + 1 > most) break;
    kept = longer;
  }
  if (kept !== '') return `…${kept}`;
  // One name that is too long by itself.
  return `…${characters.slice(characters.length - most + 1).join('')}`;
}
