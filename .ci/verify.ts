/** `npm run verify`: everything that must hold before a change lands, one line a step, the first failure ends it. */
import { spawnSync } from 'node:child_process'

const steps = [
  { name: 'lint', command: 'npm run --silent lint' },
  { name: 'types', command: 'npm run --silent types' },
  { name: 'arrows', command: 'npm run --silent arrows' },
  { name: 'duplicates', command: 'npm run --silent duplicates' },
  { name: 'unused', command: 'npm run --silent unused' },
  { name: 'openapi', command: 'npm run --silent openapi:check' },
  { name: 'workflow-schema', command: 'npm run --silent workflow-schema:check' },
  { name: 'asyncapi', command: 'npm run --silent asyncapi:check' },
  { name: 'synth', command: 'npm run --silent synth' },
  { name: 'tests', command: 'npm test --silent' },
]

const words = process.argv.slice(2)
const without = words.filter((_, at) => words[at - 1] === '--without')
const unknown = without.find((name) => steps.every((step) => step.name !== name))
if (unknown !== undefined || words.length !== without.length * 2) {
  console.error(
    `verify takes --without STEP, with a step of ${steps.map(({ name }) => name).join(', ')}, not "${words.join(' ')}"`,
  )
  process.exit(2)
}

const run = ({ name, command }: (typeof steps)[number]): boolean => {
  const began = performance.now()
  const { status, stdout, stderr } = spawnSync(command, { shell: true, encoding: 'utf8', maxBuffer: 1 << 28 })
  const seconds = ((performance.now() - began) / 1000).toFixed(1)
  console.log(`${status === 0 ? '✓' : '✗'}  ${name} (${seconds} s)`)
  if (status !== 0) console.log(`${stdout}\n${stderr}\nverify stopped at "${name}": ${command}`)
  return status === 0
}

for (const name of without) console.log(`·  ${name} left out`)
process.exit(steps.filter(({ name }) => !without.includes(name)).every(run) ? 0 : 1)
