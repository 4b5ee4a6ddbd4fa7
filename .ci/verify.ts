/** `npm run verify`: everything that must hold before a change lands, one line a step, the first failure ends it. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'

type Step = { name: string; command: string; needs?: string }

const steps: Step[] = [
  { name: 'lint', command: 'npm run --silent lint' },
  { name: 'types', command: 'npm run --silent types' },
  { name: 'arrows', command: 'npm run --silent arrows' },
  { name: 'duplicates', command: 'npm run --silent duplicates' },
  { name: 'unused', command: 'npm run --silent unused' },
  { name: 'openapi', command: 'npm run --silent openapi:check' },
  { name: 'synth', command: 'npm run --silent synth', needs: 'infra/app.ts' },
  { name: 'tests', command: 'npm test --silent' },
]

const without = process.argv.flatMap((word, at, all) => (all[at - 1] === '--without' ? [word] : []))

const run = ({ name, command, needs }: Step): boolean => {
  if (without.includes(name) || (needs !== undefined && !existsSync(needs))) {
    console.log(`·  ${name} left out`)
    return true
  }
  const began = performance.now()
  const { status, stdout, stderr } = spawnSync(command, { shell: true, encoding: 'utf8', maxBuffer: 1 << 28 })
  const seconds = ((performance.now() - began) / 1000).toFixed(1)
  console.log(`${status === 0 ? '✓' : '✗'}  ${name} (${seconds} s)`)
  if (status !== 0) console.log(`${stdout}\n${stderr}\n\nverify stopped at "${name}": ${command}`)
  return status === 0
}

process.exit(steps.every(run) ? 0 : 1)
