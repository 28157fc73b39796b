/**
 * Builds the package `trex-client` from client/ into dist-client/ (`npm run build:client`), or into the directory that
 * `--out` names, from where `npm pack` and `npm publish` take it. Of the server's sources it has what it uses of the
 * protocol. Fails when client/README.md no longer says how large it is.
 */
import { build, transform } from 'esbuild';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { constants, gzipSync } from 'node:zlib';
import ts from 'typescript';

const NAME = 'trex-client';
const SIZES = /([\d.]+) kB, minified ([\d.]+) kB, and gzipped ([\d.]+) kB/;
/** How far what the README says may be from what is. */
const TOLERANCE = 0.1;

const root = resolve(import.meta.dirname, '..');
const entry = join(root, 'client', `${NAME}.ts`);
const { values: options } = parseArgs({ options: { out: { type: 'string', default: 'dist-client' } } });
const out = resolve(root, options.out);

mkdirSync(out, { recursive: true });
const bundled = await bundle();
write(`${NAME}.js`, bundled);
write(`${NAME}.d.ts`, declarations());
write('package.json', `${JSON.stringify(manifest(), null, 2)}\n`);
copyFileSync(join(root, 'client/README.md'), join(out, 'README.md'));
copyFileSync(join(root, 'LICENSE'), join(out, 'LICENSE'));
await weigh();

function write(name, text) {
  writeFileSync(join(out, name), text);
}

async function bundle() {
  const { outputFiles } = await build({
    entryPoints: [entry],
    tsconfig: join(root, 'tsconfig.pure.json'),
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    target: 'es2022',
    charset: 'utf8',
    logLevel: 'warning',
    write: false,
  });
  return outputFiles[0].text;
}

/** The sources beside it are compiled like the server's, which are no modules of ECMAScript: only the package is one. */
function manifest() {
  const read = (path) => JSON.parse(readFileSync(join(root, path), 'utf8'));
  const { version } = read('package.json');
  const { name, ...rest } = read('client/package.json');
  return { name, version, type: 'module', ...rest };
}

/** What the entry exports, and what that refers to, as one file: of the server's own types only those that are needed. */
function declarations() {
  const files = emitted();
  const program = programOver(files);
  const checker = program.getTypeChecker();
  const exported = checker
    .getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(declared(entry))))
    .map(original);
  const statements = new Set();
  exported.forEach(add);
  const names = [...statements].map(({ name }) => name.text);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice) throw new Error(`two things in the package's types are called ${twice}`);
  return `${[...statements].map(printed).join('\n\n')}\n\nexport {};\n`;

  function original(symbol) {
    return symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
  }

  function add(symbol) {
    for (const declaration of symbol.declarations ?? []) {
      const statement = ts.findAncestor(declaration, ({ parent }) => parent && ts.isSourceFile(parent));
      if (!statement || statements.has(statement) || !files.has(statement.parent.fileName)) continue;
      statements.add(statement);
      visit(statement);
    }
  }

  function visit(node) {
    const symbol = ts.isIdentifier(node) ? checker.getSymbolAtLocation(node) : undefined;
    if (symbol) add(named(node, original(symbol)));
    ts.forEachChild(node, visit);
  }

  /** One that was imported under another name would not be found by it here. */
  function named(node, symbol) {
    const isOurs = symbol.declarations?.some((one) => one.parent && ts.isSourceFile(one.parent));
    if (isOurs && symbol.name !== node.text)
      throw new Error(`${symbol.name} is called ${node.text} elsewhere`);
    return symbol;
  }

  function printed(statement) {
    const from = statement.getFullStart();
    const hidden = (statement.members ?? []).filter(isPrivate);
    // From behind: what is before stays where it is.
    const text = hidden.reduceRight(
      (rest, { pos, end }) => rest.slice(0, pos - from) + rest.slice(end - from),
      statement.getFullText(),
    );
    const isExported = exported.some(({ declarations }) => declarations.includes(statement));
    return isExported ? text.trim() : text.trim().replace(/^export (?=(declare|interface|type)\b)/m, '');
  }
}

function isPrivate(member) {
  return member.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.PrivateKeyword);
}

/** The declarations of the entry and of all it imports, by where they would be. */
function emitted() {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.pure.json'), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const program = ts.createProgram([entry], {
    ...options,
    noEmit: false,
    declaration: true,
    emitDeclarationOnly: true,
    outDir: undefined,
    rootDir: root,
  });
  const files = new Map();
  const { diagnostics } = program.emit(undefined, (path, text) => files.set(path, text), undefined, true);
  const problems = [...ts.getPreEmitDiagnostics(program), ...diagnostics];
  if (problems.length > 0) throw new Error(ts.formatDiagnostics(problems, ts.createCompilerHost(options)));
  return files;
}

function programOver(files) {
  const options = { module: ts.ModuleKind.NodeNext, target: ts.ScriptTarget.ES2023, types: [] };
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile } = host;
  // The sources lie beside them, and would be found first.
  const isSource = (path) => dirname(path).startsWith(root) && files.has(declared(path));
  host.fileExists = (path) => files.has(path) || (!isSource(path) && fileExists(path));
  host.readFile = (path) => files.get(path) ?? readFile(path);
  host.getSourceFile = (path, how) => {
    const text = host.readFile(path);
    return text === undefined ? undefined : ts.createSourceFile(path, text, how, true);
  };
  return ts.createProgram([declared(entry)], options, host);
}

function declared(path) {
  return path.replace(/(?<!\.d)\.ts$/, '.d.ts');
}

async function weigh() {
  const { code } = await transform(bundled, { minify: true, format: 'esm', target: 'es2022' });
  const gzipped = gzipSync(code, { level: constants.Z_BEST_COMPRESSION });
  const sizes = [Buffer.byteLength(bundled), Buffer.byteLength(code), gzipped.length];
  const [plain, minified, compressed] = sizes.map((bytes) => (bytes / 1000).toFixed(1));
  const sentence = `${plain} kB, minified ${minified} kB, and gzipped ${compressed} kB`;
  console.log(`${NAME}.js: ${sentence}`);
  const said = SIZES.exec(readFileSync(join(root, 'client/README.md'), 'utf8'))?.slice(1) ?? [];
  const isRight = sizes.every((bytes, index) => Math.abs(said[index] * 1000 - bytes) <= TOLERANCE * bytes);
  if (!isRight) throw new Error(`client/README.md says otherwise; let it say "${sentence}"`);
}
