import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

const ROOT = resolve(__dirname, '..');

const documents = ['', 'docs', 'docs/decisions', 'bench', 'client'].flatMap((folder) =>
  readdirSync(join(ROOT, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name)),
);

/** The text of a document, without what is code. */
function prose(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8')
    .replaceAll(/^```[^]*?^```$/gm, '')
    .replaceAll(/`[^`\n]*`/g, (code) => code.replaceAll(/[[\]()]/g, ''));
}

/** As GitHub makes them of headings. */
function anchors(path: string): string[] {
  const seen = new Map<string, number>();
  return Array.from(prose(path).matchAll(/^#{1,6} (.*)$/gm), ([, heading = '']) => {
    const slug = heading
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-');
    const count = seen.get(slug) ?? 0;
    seen.set(slug, count + 1);
    return count === 0 ? slug : `${slug}-${count}`;
  });
}

function number(text: string): number {
  return Number(text.replaceAll(',', ''));
}

describe('the documents', () => {
  it.each(documents)('of which %s has no link that leads nowhere', (path) => {
    const links = Array.from(prose(path).matchAll(/\]\(([^)\s]+)\)/g), ([, link]) => link!);
    const broken = links.filter((link) => {
      if (/^https?:/.test(link)) return !URL.canParse(link);
      const [file = '', anchor] = link.split('#');
      const target = file === '' ? path : relative(ROOT, resolve(ROOT, dirname(path), file));
      return !existsSync(join(ROOT, target)) || (anchor !== undefined && !anchors(target).includes(anchor));
    });
    expect(broken).toEqual([]);
  });

  it('are all led to from the README', () => {
    const leadsTo = (path: string): string[] =>
      Array.from(prose(path).matchAll(/\]\(([^)#\s]+)/g), ([, link]) =>
        relative(ROOT, resolve(ROOT, dirname(path), link!)),
      );
    const reached = new Set(['README.md']);
    for (const path of reached)
      for (const next of leadsTo(path)) if (documents.includes(next)) reached.add(next);
    expect(documents.filter((path) => !reached.has(path))).toEqual([]);
  });

  it('says how often each property is looked at, as it is', () => {
    const rows = Array.from(
      readFileSync(join(ROOT, 'docs/reliability.md'), 'utf8').matchAll(
        /\| `(test\/[\w/.-]+\.spec\.ts)` *\| *([\d,]+) \| *([\d,]+) \|/g,
      ),
      ([, path, each, atNight]) => ({ path: path!, each: number(each!), atNight: number(atNight!) }),
    );
    const script = readFileSync(join(ROOT, 'package.json'), 'utf8');
    const times = Number(/TREX_TEST_RUNS=(\d+)/.exec(script)?.[1]);

    expect(rows.length).toBeGreaterThan(0);
    for (const { path, each, atNight } of rows) {
      const source = readFileSync(join(ROOT, path), 'utf8');
      expect({ path, runs: /const RUNS = runs\((\d+)\)/.exec(source)?.[1] }).toEqual({
        path,
        runs: String(each),
      });
      expect(atNight).toBe(each * times);
    }
  });

  it('lists each decision under its title, in order', () => {
    const list = Array.from(
      prose('docs/decisions/README.md').matchAll(/^- \[(.*)\]\((.*)\)$/gm),
      ([, title, file]) => [file, title],
    );
    const all = documents
      .filter((path) => /^docs\/decisions\/\d/.test(path))
      .sort()
      .map((path) => [path.split('/').at(-1), /^# (.*)$/m.exec(prose(path))?.[1]]);
    expect(list).toEqual(all);
  });
});
