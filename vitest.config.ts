import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';

import { defineConfig } from 'vitest/config';

// Starts one PostgreSQL and migrates the template database that each test file clones.
const globalSetup = 'src/testing/global-setup.ts';

/** What the unit and the full suites share; `vitest.suites.config.ts` builds on it. */
export const shared = {
  // Vite would take graphql's ESM build while the libraries in node_modules load its CommonJS build,
  // and GraphQL refuses a schema that was made by another copy of itself.
  alias: [{ find: /^graphql$/, replacement: 'graphql/index.js' }],
  globalSetup: existsSync(globalSetup) ? [globalSetup] : [],
  // Processes, not threads: onnxruntime-node and decorator metadata do not like to share one.
  pool: 'forks' as const,
  maxWorkers: Math.min(8, Math.max(2, availableParallelism())),
  testTimeout: 30_000,
  hookTimeout: 120_000,
  teardownTimeout: 30_000,
};

export default defineConfig({
  test: {
    ...shared,
    include: ['src/**/*.test.ts', 'scripts/**/*.test.ts'],
    coverage: {
      provider: 'v8',
      reporter: ['text-summary', 'json-summary'],
      reportsDirectory: 'coverage',
      include: ['src/**/*.ts'],
      exclude: ['src/**/*.test.ts', 'src/**/*.suite.ts', 'src/testing/**', 'src/main.ts'],
    },
  },
});
