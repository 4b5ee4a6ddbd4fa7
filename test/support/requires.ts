import { spawnSync } from 'node:child_process'

/** Whether this host runs a program, which some tests need: without it they are skipped and say so; on CI that is a failure. */
export const requires = (program: string, args = ['--version']): boolean => {
  const { status } = spawnSync(program, args, { stdio: 'ignore', timeout: 20_000 })
  if (status === 0) return true
  const lack = `"${[program, ...args].join(' ')}" does not run on this host`
  if (process.env.CI === 'true') throw new Error(`${lack}; continuous integration has to have it`)
  process.stderr.write(`skipped: ${lack}\n`)
  return false
}
