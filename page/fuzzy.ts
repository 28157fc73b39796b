/**
 * How well `text` answers to what was typed: its characters in order, best in one piece and at the beginnings of words.
 * Nothing when it does not.
 */
export function fuzzyScore(typed: string, text: string): number | undefined {
  const wanted = typed.toLowerCase().replaceAll(/\s+/g, '');
  const from = text.toLowerCase();
  if (wanted === '') return 0;
  const whole = from.indexOf(typed.toLowerCase().trim());
  if (whole >= 0) return 1000 - whole + (isWordStart(from, whole) ? 500 : 0);
  let score = 0;
  let at = -1;
  for (const character of wanted) {
    const next = from.indexOf(character, at + 1);
    if (next < 0) return undefined;
    if (next === at + 1) score += 5;
    if (isWordStart(from, next)) score += 10;
    at = next;
  }
  return score - at / 100;
}

function isWordStart(text: string, at: number): boolean {
  return at === 0 || /[\s\-_/.:]/.test(text.charAt(at - 1));
}
