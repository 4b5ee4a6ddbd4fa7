import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

/** The fast suite; what needs emulators is `npm run test:aws`. */
export default defineConfig({
  test: {
    include: ['test/{unit,contract,edge,infra,sim,model,e2e,architecture}/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 20_000,
    hookTimeout: 30_000,
    /** Servers and commands that tests start are compiled once, not each time. */
    env: { NODE_COMPILE_CACHE: fileURLToPath(new URL('./node_modules/.cache/compiled', import.meta.url)) },
  },
})
