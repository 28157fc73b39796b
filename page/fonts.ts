/** Of fixed width, and made for programs. */
const KNOWN = [
  'Berkeley Mono',
  'Cascadia Code',
  'Cascadia Mono',
  'Consolas',
  'DejaVu Sans Mono',
  'Fira Code',
  'Fira Mono',
  'Hack',
  'IBM Plex Mono',
  'Inconsolata',
  'Iosevka',
  'JetBrains Mono',
  'Liberation Mono',
  'Menlo',
  'MesloLGS NF',
  'Monaco',
  'Noto Sans Mono',
  'Roboto Mono',
  'SF Mono',
  'Source Code Pro',
  'Ubuntu Mono',
];

const SAMPLE = 'mmmmmmmmmmlli0O&@';

/** Those that this machine has. A page is not told: a font that is there makes text of another width than what stands in for it. */
export function availableFonts(): readonly string[] {
  const context = document.createElement('canvas').getContext('2d');
  if (!context) return [];
  const widthIn = (font: string): number => {
    context.font = `64px ${font}`;
    return context.measureText(SAMPLE).width;
  };
  const others = ['serif', 'sans-serif'] as const;
  const usual = others.map((other) => widthIn(other));
  return KNOWN.filter((name) =>
    others.every((other, index) => widthIn(`"${name}", ${other}`) !== usual[index]),
  );
}
