/**
 * Who may import whom (ARCHITECTURE.md, "The house"). Each row: a folder, the folders of the house it may import
 * besides itself, and the packages. `node:` stands for Node's own modules.
 */
const nest = '@nestjs/|rxjs|reflect-metadata';
const validation = 'class-validator|class-transformer';
const house = '^(src|client|cli|page|test|bench|scripts)/';
const rooms = {
  'src/core': { folders: [], packages: [] },
  'src/protocol': { folders: [], types: ['src/core'], packages: [] },
  'src/config': { folders: [], packages: [nest, validation, 'fastest-levenshtein', 'node:'] },
  'src/admission': { folders: ['src/core', 'src/config'], packages: [nest, 'helmet', 'node:'] },
  'src/pty': { folders: ['src/core', 'src/config'], packages: [nest, 'node-pty', 'node:'] },
  'src/sessions': {
    folders: ['src/core', 'src/protocol', 'src/config'],
    packages: [nest, validation, 'node:'],
  },
  'src/terminal': {
    folders: ['src/core', 'src/protocol', 'src/sessions', 'src/admission', 'src/config'],
    packages: [nest, validation, 'ws', 'node:'],
  },
  'src/page': { folders: ['src/admission', 'src/config'], packages: [nest, 'express', 'node:'] },
  client: { folders: ['src/protocol'], packages: [] },
  cli: { folders: ['client', 'src/config', 'src/protocol'], packages: ['ws', 'node:'] },
  page: { folders: ['client', 'src/protocol'], packages: ['@xterm/'] },
  'src/observability': {
    folders: ['src/core', 'src/config'],
    packages: [nest, '@opentelemetry/', 'pino', 'pino-pretty', 'node:'],
  },
};

const folderRules = Object.entries(rooms).flatMap(([room, { folders, types = [], packages }]) => [
  {
    name: `${room} imports only its neighbours`,
    severity: 'error',
    from: { path: `^${room}/`, pathNot: '\\.spec\\.ts$' },
    to: {
      path: house,
      pathNot: [room, ...folders, ...types].map((folder) => `^${folder}/`),
    },
  },
  ...types.map((folder) => ({
    name: `${room} imports only types from ${folder}`,
    severity: 'error',
    from: { path: `^${room}/`, pathNot: '\\.spec\\.ts$' },
    to: { path: `^${folder}/`, dependencyTypesNot: ['type-only'] },
  })),
  {
    name: `${room} uses only its packages`,
    severity: 'error',
    from: { path: `^${room}/`, pathNot: '\\.spec\\.ts$' },
    to: {
      pathNot: [house, ...packages.filter((p) => p !== 'node:').map((p) => `^node_modules/(@types/)?(${p})`)],
      ...(packages.includes('node:') ? { dependencyTypesNot: ['core'] } : {}),
    },
  },
]);

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'no cycles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'every folder has its row',
      severity: 'error',
      from: { path: '^src/[^/]+/', pathNot: Object.keys(rooms).map((room) => `^${room}/`) },
      to: {},
    },
    {
      name: 'a folder without a row is not imported',
      severity: 'error',
      from: {},
      to: { path: '^src/[^/]+/', pathNot: Object.keys(rooms).map((room) => `^${room}/`) },
    },
    {
      name: 'a folder without a row is not there',
      severity: 'error',
      from: { orphan: true, path: '^src/[^/]+/', pathNot: Object.keys(rooms).map((room) => `^${room}/`) },
      to: {},
    },
    {
      name: 'nothing imports observability but the root',
      severity: 'error',
      from: { path: '^src/[^/]+/', pathNot: '^src/observability/' },
      to: { path: '^src/observability/' },
    },
    {
      name: 'only serve.ts imports pty',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/serve\\.ts$', '^src/pty/'] },
      to: { path: '^src/pty/' },
    },
    {
      name: 'only the factory and the baseline import node-pty',
      severity: 'error',
      from: {
        path: '^(src|client|cli|page|test|bench)/',
        pathNot: ['^src/pty/node-pty\\.factory\\.ts$', '^bench/baseline/'],
      },
      to: { path: '^node_modules/node-pty' },
    },
    ...folderRules,
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|coverage)' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    externalModuleResolutionStrategy: 'node_modules',
  },
};
