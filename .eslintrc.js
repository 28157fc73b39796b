/** @type {import('eslint').Linter.Config} */
module.exports = {
  root: true,
  parser: '@typescript-eslint/parser',
  parserOptions: { projectService: true, tsconfigRootDir: __dirname, sourceType: 'module' },
  plugins: ['@typescript-eslint'],
  extends: [
    'eslint:recommended',
    'plugin:@typescript-eslint/recommended-type-checked',
    'plugin:@typescript-eslint/stylistic-type-checked',
  ],
  env: { node: true },
  ignorePatterns: [
    'dist',
    'dist-bench',
    'dist-page',
    'dist-client',
    'dist-cli',
    'coverage',
    'node_modules',
    '*.js',
    '*.mjs',
    '*.cjs',
  ],
  rules: {
    eqeqeq: 'error',
    '@typescript-eslint/no-floating-promises': 'error',
    '@typescript-eslint/switch-exhaustiveness-check': 'error',
    '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
    '@typescript-eslint/explicit-function-return-type': ['error', { allowExpressions: true }],
    // `cols: number = 80` must keep its annotation: emitted decorator metadata needs it.
    '@typescript-eslint/no-inferrable-types': ['error', { ignoreProperties: true }],
    '@typescript-eslint/no-extraneous-class': ['error', { allowWithDecorator: true }],
  },
  overrides: [
    { files: ['page/**'], env: { node: false, browser: true } },
    {
      files: ['test/**', '**/*.spec.ts'],
      env: { jest: true },
      rules: {
        '@typescript-eslint/no-non-null-assertion': 'off',
        'no-restricted-properties': [
          'error',
          ...['fn', 'mock', 'spyOn', 'doMock', 'useFakeTimers'].map((property) => ({
            object: 'jest',
            property,
            message: 'Fakes only: see test/fakes.',
          })),
        ],
      },
    },
  ],
};
