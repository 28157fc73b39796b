/** A block of a document that is a command: fenced as `sh`, `bash` or `console`, or set in by four spaces. */
export interface CommandBlock {
  /** Of its first line. */
  readonly line: number;
  readonly script: string;
  /** Why it is not run, as `<!-- not run: … -->` before it says. */
  readonly notRun?: string;
}

const FENCE = /^```(\w*)$/;
const LANGUAGES = ['sh', 'bash', 'console'];

export function commandBlocks(markdown: string): CommandBlock[] {
  const lines = markdown.split('\n');
  const blocks: CommandBlock[] = [];
  for (let at = 0; at < lines.length; at += 1) {
    const fence = FENCE.exec(lines[at]!);
    const isSetIn = /^ {4}\S/.test(lines[at]!) && (lines[at - 1] ?? '') === '';
    if (!fence && !isSetIn) continue;
    const begin = fence ? at + 1 : at;
    const isOver = (line = ''): boolean => (fence ? line === '```' : !/^( {4}|$)/.test(line));
    let end = begin;
    while (end < lines.length && !isOver(lines[end])) end += 1;
    if (!fence || LANGUAGES.includes(fence[1]!)) {
      const [, notRun] = /^<!-- not run: (.+) -->$/.exec(textBefore(lines, at)) ?? [];
      const script = scriptOf(lines.slice(begin, end), fence?.[1]);
      blocks.push({ line: begin + 1, script, ...(notRun !== undefined && { notRun }) });
    }
    at = fence ? end : end - 1;
  }
  return blocks;
}

function textBefore(lines: readonly string[], at: number): string {
  return lines.slice(0, at).findLast((line) => line !== '') ?? '';
}

/** On a console only what stands after a prompt is typed; the rest is what it prints. */
function scriptOf(lines: readonly string[], language: string | undefined): string {
  if (language === undefined)
    return lines
      .map((line) => line.slice(4))
      .join('\n')
      .trimEnd();
  if (language !== 'console') return lines.join('\n');
  return lines.flatMap((line) => (line.startsWith('$ ') ? [line.slice(2)] : [])).join('\n');
}
