/** `npm run sim -- --seed S | --seeds A..B [--steps N] [--workers N]`: schedules of the real code, each by its seed. */
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import type { RangeAnswer } from './range-worker.ts'

const usage = 'usage: npm run sim -- --seed S | --seeds A..B [--steps N] [--workers N]'

const fail = (message: string): never => {
  console.error(`${message}; ${usage}`)
  process.exit(2)
}

const whole = (name: string, text: string | undefined): number =>
  /^\d{1,9}$/.test(text ?? '') ? Number(text) : fail(`--${name} takes a whole number; received ${text}`)

const atLeastOne = (name: string, text: string): number =>
  whole(name, text) || fail(`--${name} takes a whole number from 1 on; received ${text}`)

const read = () => {
  try {
    const options = {
      seed: { type: 'string' },
      seeds: { type: 'string' },
      steps: { type: 'string' },
      workers: { type: 'string' },
    } as const
    return parseArgs({ options, strict: true }).values
  } catch (error) {
    return fail(String((error as Error).message))
  }
}

const given = read()
if (given.seed !== undefined && given.seeds !== undefined) fail('--seed and --seeds exclude each other; give one')
const { seed, seeds = seed === undefined ? '1..100' : `${seed}..${seed}`, steps = '200', workers = '1' } = given
if (seed !== undefined) whole('seed', seed)
const [, first, last] = /^(\d{1,9})\.\.(\d{1,9})$/.exec(seeds) ?? fail(`--seeds takes A..B; received ${seeds}`)
const range = { first: whole('seeds', first), last: whole('seeds', last), steps: atLeastOne('steps', steps) }
if (range.last < range.first) fail(`--seeds takes A..B with A up to B; received ${seeds}`)
const count = range.last - range.first + 1
const share = Math.min(atLeastOne('workers', workers), count)

/** Most of what a seed makes is garbage when the next begins; more than the caches hold would cost more than it saves. */
const youngMb = 24

const began = performance.now()
let [done, failed, operations] = [0, 0, 0]
const hear = (answer: RangeAnswer): void => {
  done++
  operations += answer.operations
  if (answer.failure === undefined) return
  failed++
  console.log(`${answer.failure}\n  again: npm run sim -- --seed ${answer.seed} --steps ${range.steps}\n`)
}
const run = (number: number): Promise<void> =>
  new Promise((resolve, reject) => {
    const workerData = { ...range, first: range.first + number, by: share }
    const resourceLimits = { maxYoungGenerationSizeMb: youngMb }
    const worker = new Worker(new URL('./range-worker.ts', import.meta.url), { workerData, resourceLimits })
    worker.on('message', hear)
    worker.on('error', reject)
    worker.on('exit', () => resolve())
  })

await Promise.all(Array.from({ length: share }, (_, number) => run(number)))
const took = (performance.now() - began) / 1000
const { user, system } = process.cpuUsage()
const cpu = (user + system) / 1_000_000
const mean = Math.round(operations / done)
console.log(`${done} seeds of ${mean} operations, ${failed} failed`)
console.log(
  `${(done / took).toFixed(1)} seeds/s on ${share} core${share > 1 ? 's' : ''}, ${(done / cpu).toFixed(1)} for each second of a core's time`,
)
process.exitCode = failed > 0 || done < count ? 1 : 0
