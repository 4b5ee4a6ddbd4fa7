import { parentPort, workerData } from 'node:worker_threads'
import { runSeed } from './world/run-seed.ts'
import { shrink } from './world/shrink.ts'
import { describeFailure } from './world/trace.ts'

/** What became of one seed. */
export type RangeAnswer = { seed: number; operations: number; failure?: string }

const { first, last, by, steps } = workerData as { first: number; last: number; by: number; steps: number }

Error.stackTraceLimit = 0 // refusals are errors, and nobody reads where they come from

for (let seed = first; seed <= last; seed += by) {
  const run = await runSeed(seed, { steps })
  const failure = run.findings.length > 0 ? describeFailure(await shrink(run)) : undefined
  parentPort?.postMessage({ seed, operations: run.world.calls.length, failure } satisfies RangeAnswer)
}
