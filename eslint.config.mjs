import js from '@eslint/js';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

import { localRules } from './scripts/eslint-rules.mjs';

const typed = [
  'src/**/*.ts',
  'migrations/**/*.ts',
  'bench/**/*.ts',
  'scripts/**/*.ts',
  '*.config.ts',
  'console/src/**/*.{ts,tsx}',
];
const tests = ['**/*.test.{ts,tsx}', '**/*.suite.ts', 'src/testing/**'];

// The doors. Each may be named by the files behind it, and by nobody else.
const doors = {
  database: {
    name: 'typeorm',
    importNames: ['DataSource'],
    message: 'A connection is opened in src/kernel/db.ts only. Take a Tx or a ReadDb as an argument.',
  },
  graphql: {
    name: 'type-graphql',
    importNames: ['Query', 'Mutation', 'Subscription'],
    message:
      'Root fields are made with QueryField, CommandField or WatchField of src/graphql, which ask who may.',
  },
};
const environment = ['process', 'node:process'].map((name) => ({
  name,
  importNames: ['env'],
  message: 'The environment is read in src/config.ts only.',
}));

/** Which doors are shut. A later block replaces an earlier one, so each names the whole list. */
const shut = (...closed) => ({ 'no-restricted-imports': ['error', { paths: [...closed, ...environment] }] });

const readsEnvironment = {
  object: 'process',
  property: 'env',
  message: 'The environment is read in src/config.ts only.',
};
const mocks = ['mock', 'doMock', 'importMock', 'hoisted'].map((property) => ({
  object: 'vi',
  property,
  message: 'Use the fake that lives beside the port; it passes the same contract suite as the real one.',
}));

const defaultExports = ['ExportDefaultDeclaration', 'ExportSpecifier[exported.name="default"]'].map(
  (selector) => ({
    selector,
    message: 'Export by name.',
  }),
);
const definiteFields = {
  selector: 'PropertyDefinition[definite=true], VariableDeclarator[definite=true]',
  message: 'Only entities and GraphQL types may promise that something else fills a field.',
};
const testNames = {
  selector:
    'CallExpression[callee.name=/^(test|it)$/] > Literal.arguments:first-child[value=/\\bshould\\b/i]',
  message: 'A test name says what the product does, without "should".',
};
const focusedTests = {
  selector: 'CallExpression[callee.object.name=/^(test|it|describe)$/][callee.property.name="only"]',
  message: 'A focused test silences all others.',
};
const everywhere = [testNames, focusedTests];

export default defineConfig(
  globalIgnores([
    '.venv*/**',
    'node_modules/',
    'dist/',
    'coverage/',
    '.countersign/',
    'console/dist/',
    'console/src/generated/',
  ]),
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  js.configs.recommended,
  {
    files: typed,
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { countersign: localRules },
    rules: {
      'max-lines': ['error', { max: 400 }],
      'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }],
      'max-depth': ['error', 4],
      complexity: ['error', 10],
      eqeqeq: 'error',
      'no-console': 'error',
      'no-warning-comments': ['error', { terms: ['todo', 'fixme', 'xxx', 'hack'] }],
      'no-restricted-properties': ['error', readsEnvironment, ...mocks],
      'no-restricted-syntax': ['error', ...defaultExports, ...everywhere, definiteFields],
      ...shut(doors.database, doors.graphql),
      'countersign/file-name': 'error',

      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-import-type-side-effects': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],

      // What a decorator code base needs: resolvers and entities are classes without behaviour.
      '@typescript-eslint/no-extraneous-class': ['error', { allowWithDecorator: true }],
      // Fakes and fastify plug-ins fill an async interface without awaiting anything.
      '@typescript-eslint/require-await': 'off',
      // Public types are filled from plain objects.
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: 'only-allowed-literals' },
      ],
    },
  },
  {
    files: ['**/*.entity.ts', '**/*.graphql.ts', 'src/graphql/**/*.ts'],
    rules: { 'no-restricted-syntax': ['error', ...defaultExports, ...everywhere] },
  },
  { files: ['**/*.entity.ts'], rules: { '@typescript-eslint/no-non-null-assertion': 'off' } },
  {
    files: ['src/graphql/fields.ts'],
    rules: {
      '@typescript-eslint/no-explicit-any': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
    },
  },
  { files: ['src/kernel/**/*.ts'], ignores: tests, rules: { 'countersign/documented-exports': 'error' } },
  { files: ['src/kernel/db.ts'], rules: shut(doors.graphql) },
  {
    files: ['src/graphql/**/*.ts'],
    rules: {
      ...shut(doors.database),
      // Input types are made from zod schemas, and begin as empty classes.
      '@typescript-eslint/no-extraneous-class': ['error', { allowWithDecorator: true, allowEmpty: true }],
    },
  },
  { files: ['src/config.ts'], rules: { 'no-restricted-properties': ['error', ...mocks] } },
  // Tools ask for a default export.
  { files: ['*.config.ts'], rules: { 'no-restricted-syntax': 'off' } },
  { files: ['src/main.ts', 'src/embedded/**', 'bench/**', 'scripts/**'], rules: { 'no-console': 'off' } },
  {
    files: tests,
    rules: {
      'max-lines-per-function': 'off',
      '@typescript-eslint/unbound-method': 'off',
      // graphql<Data>(…) says what the test expects to read.
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
      // expect.any() and its kin are typed `any`.
      '@typescript-eslint/no-unsafe-assignment': 'off',
    },
  },
  {
    files: ['**/*.{mjs,cjs}'],
    languageOptions: {
      globals: Object.fromEntries(
        [
          'process',
          'console',
          'Buffer',
          'URL',
          'fetch',
          'AbortController',
          'setTimeout',
          'clearTimeout',
          'module',
          'require',
        ].map((name) => [name, 'readonly']),
      ),
    },
    rules: { complexity: ['error', 10], 'max-lines-per-function': ['error', { max: 60 }], eqeqeq: 'error' },
  },
);
