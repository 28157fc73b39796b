const swc = {
  swcrc: false,
  sourceMaps: 'inline',
  module: { type: 'commonjs' },
  jsc: {
    target: 'es2023',
    keepClassNames: true,
    parser: { syntax: 'typescript', decorators: true },
    transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false },
  },
};

const common = {
  testEnvironment: '<rootDir>/test/support/childless-environment.ts',
  setupFiles: ['reflect-metadata'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: { '^.+\\.ts$': ['@swc/jest', swc] },
};

const everyByte = { lines: 95, branches: 95 };

/** @type {import('jest').Config} */
module.exports = {
  // Real processes and sockets share two cores: one file at a time keeps a leak check about its own file.
  maxWorkers: 1,
  workerIdleMemoryLimit: '400MB',
  // For a hang, not for a slow machine: some tests start hundreds of processes one after the other, and at night properties
  // are looked at many times as often.
  testTimeout: 180_000 * Number(process.env.TREX_TEST_RUNS ?? 1),
  collectCoverageFrom: ['{src,client,cli}/**/*.ts', '!**/*.spec.ts', '!src/{main,serve}.ts'],
  coverageProvider: 'v8',
  coverageReporters: ['text-summary', 'json-summary', 'lcov'],
  coverageThreshold: {
    './src/core/': everyByte,
    './src/protocol/': everyByte,
    './src/sessions/': everyByte,
    './client/': everyByte,
  },
  projects: [
    { ...common, displayName: 'unit', testMatch: ['<rootDir>/{src,client,cli,page}/**/*.spec.ts'] },
    { ...common, displayName: 'properties', testMatch: ['<rootDir>/test/properties/**/*.spec.ts'] },
    { ...common, displayName: 'rest', testMatch: ['<rootDir>/test/e2e/{rest,watch}.spec.ts'] },
    {
      ...common,
      displayName: 'system',
      testMatch: ['<rootDir>/test/**/*.spec.ts'],
      testPathIgnorePatterns: [
        '/node_modules/',
        '<rootDir>/test/(browser|properties|e2e/(rest|watch)|reliability/quick)[/.]',
      ],
      globalSetup: '<rootDir>/test/support/build-folder.ts',
      globalTeardown: '<rootDir>/test/support/remove-build-folder.ts',
    },
    {
      ...common,
      displayName: 'reliability',
      testMatch: ['<rootDir>/test/reliability/quick.spec.ts'],
      globalSetup: '<rootDir>/test/support/build-folder.ts',
      globalTeardown: '<rootDir>/test/support/remove-build-folder.ts',
    },
    {
      ...common,
      displayName: 'browser',
      testMatch: ['<rootDir>/test/browser/**/*.spec.ts'],
      globalSetup: '<rootDir>/test/browser/support/find-browser.ts',
      globalTeardown: '<rootDir>/test/support/remove-build-folder.ts',
    },
  ],
};
