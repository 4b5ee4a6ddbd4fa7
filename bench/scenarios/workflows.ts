import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createEmbeddedPlatform, type EmbeddedPlatform } from '#shared/platform/embedded/create-embedded-platform.ts'
import { noHosts } from '#test/support/no-hosts.ts'
import { inWords, type ProcessorTime, perOperation } from '../processor.ts'
import { atLeast, type Row, shown } from '../row.ts'
import type { Scenario } from './scenario.ts'

const runs = 1000
const steps = 10
/** A start and an answer of each step. */
const transitions = runs * (steps + 1)

const step = (at: number) => ({
  Type: 'Task',
  Resource: 'arn:aws:states:::sqs:sendMessage.waitForTaskToken',
  Arguments: { QueueUrl: 'steps', MessageBody: { token: '{% $states.context.Task.Token %}', at } },
  ...(at === steps - 1 ? { End: true } : { Next: `Step${at + 1}` }),
})
const machine = {
  QueryLanguage: 'JSONata',
  StartAt: 'Step0',
  States: Object.fromEntries(Array.from({ length: steps }, (_, at) => [`Step${at}`, step(at)])),
}

const openPlatform = (): Promise<EmbeddedPlatform> =>
  createEmbeddedPlatform({
    dataDir: join(mkdtempSync(join(tmpdir(), 'devcycle-bench-')), 'data'),
    baseUrl: () => '',
    hosts: noHosts,
    log: () => undefined,
  })

/** As many durable writes one after the other, in as many places at once, as the runs have transitions. */
const floor = async ({ volatile }: EmbeddedPlatform): Promise<void> => {
  const chain = async (run: number): Promise<void> => {
    for (let at = 0; at <= steps; at++) {
      const item = { pk: `floor#run#${run}`, sk: 'head', type: 'floor', value: { run, at } }
      await volatile.write({ op: 'put', item, expect: 'any' })
    }
  }
  await Promise.all(Array.from({ length: runs }, (_, run) => chain(run)))
}

/** All runs at once, each step answered as soon as it asks. */
const runAll = async ({ workflows }: EmbeddedPlatform, round: number): Promise<void> => {
  const ends = Promise.withResolvers<void>()
  let left = runs
  const serving = workflows.serve({
    onCommand: async (body) => void (await workflows.succeed((body as { token: string }).token, { done: true })),
    async onEnd() {
      if (--left === 0) ends.resolve()
    },
  })
  const ref = { tenant: 'default', workflow: 'ten-steps' }
  await workflows.deploy({ ...ref, version: '1', asl: machine })
  const start = (at: number) => workflows.start({ ...ref, run: `${round}-${at}`, version: '1', input: { at } })
  await Promise.all(Array.from({ length: runs }, (_, at) => start(at)))
  await ends.promise
  await serving.stop()
}

const none: ProcessorTime = { main: 0, workers: 0, helpers: 0 }

/** How many a second, and what each takes of the processor. */
const measured = async (work: () => Promise<void>): Promise<[number, ProcessorTime]> => {
  const began = performance.now()
  const each = await perOperation(process.pid, transitions, work)
  return [(transitions * 1000) / (performance.now() - began), each]
}

/** Durable transitions of runs, against one durable write for each; the second of two rounds counts. */
export const workflowTransitions: Scenario = async (): Promise<Row[]> => {
  const platform = await openPlatform()
  let [writes, moves, least, own] = [0, 0, none, none]
  for (const round of [1, 2]) {
    ;[writes, least] = await measured(() => floor(platform))
    ;[moves, own] = await measured(() => runAll(platform, round))
  }
  await platform.close()
  return [
    atLeast(
      'workflows: transitions × one durable write each',
      moves / writes,
      0.5,
      `${moves.toFixed(0)} of ${writes.toFixed(0)} a second`,
    ),
    shown(
      "workflows: a write's processor time / a transition's",
      least.main / own.main,
      `${inWords(own)} / ${inWords(least)}`,
    ),
    shown(
      `workflows: ${runs} runs of ${steps} steps at once`,
      transitions / moves,
      `${(transitions / moves).toFixed(1)} s`,
    ),
  ]
}
