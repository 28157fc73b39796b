/**
 * Builds the page from page/ into dist-page/ (`npm run build:page`), or into the directory that `--out` names.
 *
 * page/index.html names what is to be bundled, as if page/ were served as it is: `<script type="module" src="/main.ts">`
 * and `<link rel="stylesheet" href="/main.css">`. Both become files under /assets/ whose names tell what is in them, and so
 * does what they import: chunks of `import()`, images, fonts. A stylesheet is linked from index.html, not imported by a
 * script. Icons, images and the web manifest that lie in page/ itself keep their names. Whatever gets smaller by it is there
 * compressed, too. The same page/ and the same packages give the same files, byte for byte. Fails when README.md no longer
 * says how much a browser loads.
 */
import { build } from 'esbuild';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, extname, join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const INDEX = 'index.html';
const BUNDLED = /(?<=\s(?:src|href)=")\/[\w-]+\.(?:ts|css)(?=")/g;
const REFERENCE = /\s(?:src|href)="(\/[^"]+)"/g;
const KEPT = ['.ico', '.png', '.svg', '.txt', '.webmanifest', '.woff2'];
/** A picture or a font is compressed already. */
const COMPRESSED = ['.css', '.html', '.ico', '.js', '.json', '.svg', '.txt', '.webmanifest'];

const SIZES = /([\d.]+) kB in Brotli, and ([\d.]+) kB more/;
/** How far what the README says may be from what is. */
const TOLERANCE = 0.1;

const root = resolve(import.meta.dirname, '..');
const page = join(root, 'page');
const { values: options } = parseArgs({ options: { out: { type: 'string', default: 'dist-page' } } });
const out = resolve(root, options.out);

const html = readFileSync(join(page, INDEX), 'utf8');
const bundled = await bundle([...new Set(html.match(BUNDLED))]);
const files = new Map([
  ...bundled.files,
  ...readdirSync(page)
    .filter((name) => KEPT.includes(extname(name)))
    .map((name) => [name, readFileSync(join(page, name))]),
  // The last to be written: what it refers to is there by then.
  [INDEX, Buffer.from(html.replace(BUNDLED, (entry) => bundled.pathOf(entry)))],
]);
checkReferences();
const written = [...files].flatMap(([name, bytes]) => [...variants(name, bytes), [name, bytes]]);
for (const [name, bytes] of written) write(name, bytes);
removeOthers(written.map(([name]) => name));
for (const line of weights()) console.log(line);
// An image is made without it.
if (existsSync(join(root, 'README.md'))) checkReadme();

/** @returns the files, and where each entry has gone */
async function bundle(entries) {
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    entryPoints: entries.map((entry) => `page${entry}`),
    outdir: out,
    outbase: page,
    entryNames: 'assets/[name]-[hash]',
    chunkNames: 'assets/[name]-[hash]',
    assetNames: 'assets/[name]-[hash]',
    publicPath: '/',
    tsconfig: join(page, 'tsconfig.json'),
    bundle: true,
    splitting: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    charset: 'utf8',
    legalComments: 'linked',
    loader: { '.png': 'file', '.svg': 'file', '.woff2': 'file' },
    logLevel: 'warning',
    metafile: true,
    write: false,
  });
  const outputs = Object.entries(metafile.outputs);
  const styled = outputs.find(([, { cssBundle }]) => cssBundle !== undefined);
  if (styled) throw new Error(`${styled[1].entryPoint} imports a stylesheet: link it from ${INDEX} instead`);
  return {
    files: outputFiles.map(({ path, contents }) => [relative(out, path), Buffer.from(contents)]),
    pathOf(entry) {
      const [path] = outputs.find(([, { entryPoint }]) => entryPoint === `page${entry}`);
      return `/${relative(out, join(root, path))}`;
    },
  };
}

function checkReferences() {
  for (const [, path] of files.get(INDEX).toString().matchAll(REFERENCE)) {
    if (!files.has(path.slice(1))) throw new Error(`${INDEX} refers to ${path}, which is not there`);
  }
}

/** Compressed as small as it gets: it is done once, and sent often. */
function variants(name, bytes) {
  if (!COMPRESSED.includes(extname(name))) return [];
  const { BROTLI_PARAM_QUALITY, BROTLI_PARAM_SIZE_HINT, BROTLI_MAX_QUALITY, Z_BEST_COMPRESSION } = constants;
  const params = { [BROTLI_PARAM_QUALITY]: BROTLI_MAX_QUALITY, [BROTLI_PARAM_SIZE_HINT]: bytes.length };
  return [
    [`${name}.br`, brotliCompressSync(bytes, { params })],
    [`${name}.gz`, gzipSync(bytes, { level: Z_BEST_COMPRESSION })],
  ].filter(([, compressed]) => compressed.length < bytes.length);
}

function write(name, bytes) {
  mkdirSync(dirname(join(out, name)), { recursive: true });
  writeFileSync(join(out, name), bytes);
}

/** What an earlier build has left. */
function removeOthers(names) {
  const folders = ['', 'assets'].map((folder) => join(out, folder));
  for (const folder of folders) {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isFile() && !names.includes(relative(out, path))) rmSync(path);
    }
  }
}

function weighed() {
  const sizes = new Map(written.map(([name, { length }]) => [name, length]));
  return [...files.keys()].map((name) => ({
    name,
    plain: sizes.get(name),
    brotli: sizes.get(`${name}.br`) ?? sizes.get(name),
  }));
}

/** What a browser loads at once, and what only where it draws by the graphics card. */
function checkReadme() {
  const isLater = (name) => name.includes('addon-webgl');
  const rows = weighed().filter(({ name }) => !name.endsWith('.LEGAL.txt'));
  const sum = (some) => some.reduce((total, { brotli }) => total + brotli, 0);
  const sizes = [
    sum(rows.filter(({ name }) => !isLater(name))),
    sum(rows.filter(({ name }) => isLater(name))),
  ];
  const said = SIZES.exec(readFileSync(join(root, 'README.md'), 'utf8'))?.slice(1) ?? [];
  const isRight = sizes.every((bytes, index) => Math.abs(said[index] * 1000 - bytes) <= TOLERANCE * bytes);
  if (isRight) return;
  const [atOnce, later] = sizes.map((bytes) => Math.round(bytes / 1000));
  throw new Error(`README.md says otherwise; let it say "${atOnce} kB in Brotli, and ${later} kB more"`);
}

function weights() {
  const rows = weighed();
  const sum = (column) => rows.reduce((total, row) => total + row[column], 0);
  const all = { name: 'all', plain: sum('plain'), brotli: sum('brotli') };
  const kilobytes = (bytes) => `${(bytes / 1000).toFixed(1)} kB`.padStart(10);
  return [...rows, all].map(
    ({ name, plain, brotli }) => `${name.padEnd(40)}${kilobytes(plain)}${kilobytes(brotli)} in brotli`,
  );
}
