import { defineConfig } from 'vitest/config';

import { shared } from './vitest.config.js';

/**
 * Suites that need more than npm brings: Redis, Chromium, Keycloak, an object store and so on.
 * Each suite looks for its part itself and names it when it skips, so the report is verbose.
 */
export default defineConfig({
  test: {
    ...shared,
    include: ['src/**/*.suite.ts'],
    // Real servers are shared by name and port: one suite at a time.
    fileParallelism: false,
    testTimeout: 180_000,
    hookTimeout: 300_000,
    reporters: ['verbose'],
    passWithNoTests: false,
  },
});
