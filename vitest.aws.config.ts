import { defineConfig } from 'vitest/config'

/** The suite on AWS endpoints of this machine: one file at a time, since each starts emulators of its own. */
export default defineConfig({
  test: {
    include: ['test/aws/**/*.test.ts'],
    pool: 'forks',
    fileParallelism: false,
    /** Tests of one deployment mostly wait for it. */
    maxConcurrency: 8,
    testTimeout: 240_000,
    hookTimeout: 600_000,
  },
})
