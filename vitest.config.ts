import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

/** Tests that mock modules, set the environment, or move the time that the ids of a process count from. */
const alone = 'create-aws-platform|powertools-telemetry|child-count|recount-places|shares|ulid'

/** Tests that leave nothing behind share a process: to load its modules takes longer than to test them. */
const light = `test/unit/{contracts,domain,functions,platform,workflow-language}/**/!(${alone}).test.ts`
const whole = 'test/{contract,edge,unit/cli}/**/!(aws-realtime|data-folder).test.ts'
/** These may leave mocked clients behind, for each other alone. */
const mocking = `test/{unit/{aws,runner}/**/!(${alone}),contract/aws-realtime}.test.ts`

/** What starts whole servers, or tools of other languages: all but these is `npm run test:fast`. */
const slow = 'test/{e2e/**/*,unit/agents/test-runner/toolchains}.test.ts'

/** The fast suite; what needs emulators is `npm run test:aws`. */
export default defineConfig({
  test: {
    pool: 'forks',
    /** One for each processor, and three at least: tests wait for time, files and servers as well. */
    maxWorkers: Math.max(3, availableParallelism()),
    /** What takes a second alone may take many beside others: these end what hangs, and nothing else. */
    testTimeout: 60_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 25_000 } },
    /** Servers and commands that tests start are compiled once, not each time. */
    env: { NODE_COMPILE_CACHE: fileURLToPath(new URL('./node_modules/.cache/compiled', import.meta.url)) },
    projects: [
      ...Object.entries({ light, whole, mocking }).map(([name, include]) => ({
        extends: true as const,
        test: { name, isolate: false, setupFiles: './test/support/fresh-ids.ts', include: [include] },
      })),
      {
        extends: true,
        test: {
          name: 'alone',
          include: ['test/{unit,infra,sim,model,architecture}/**/*.test.ts'],
          exclude: [light, whole, mocking, slow],
        },
      },
      { extends: true, test: { name: 'slow', include: [slow] } },
    ],
  },
})
