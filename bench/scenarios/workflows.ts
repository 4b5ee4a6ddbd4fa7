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
/** One after the other: what a single run waits for. */
const few = 50
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

/** As many durable writes one after the other as a run has transitions. */
const write = async ({ volatile }: EmbeddedPlatform, run: number): Promise<void> => {
  for (let at = 0; at <= steps; at++) {
    const item = { pk: `floor#run#${run}`, sk: 'head', type: 'floor', value: { run, at } }
    await volatile.write({ op: 'put', item, expect: 'any' })
  }
}

/** Runs whose steps are answered as soon as they ask, each until its end. */
const serveRuns = async ({ workflows }: EmbeddedPlatform) => {
  const ref = { tenant: 'default', workflow: 'ten-steps' }
  const ends = new Map<string, () => void>()
  const serving = workflows.serve({
    onCommand: async (body) => void (await workflows.succeed((body as { token: string }).token, { done: true })),
    onEnd: async ({ run }) => ends.get(run)?.(),
  })
  await workflows.deploy({ ...ref, version: '1', asl: machine })
  const run = async (id: string): Promise<void> => {
    const ended = new Promise<void>((resolve) => ends.set(id, resolve))
    await workflows.start({ ...ref, run: id, version: '1', input: { id } })
    await ended
    ends.delete(id)
  }
  return { run, stop: () => serving.stop() }
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, at) => at)

const inTurn = async (count: number, one: (at: number) => Promise<void>): Promise<void> => {
  for (const at of numbers(count)) await one(at)
}

const none: ProcessorTime = { main: 0, workers: 0, helpers: 0 }

/** How many transitions a second, and what each takes of the processor. */
const measured = async (count: number, work: () => Promise<unknown>): Promise<[number, ProcessorTime]> => {
  const began = performance.now()
  const each = await perOperation(process.pid, count * (steps + 1), work)
  return [(count * (steps + 1) * 1000) / (performance.now() - began), each]
}

/** Durable transitions of runs, against one durable write for each; of all runs at once the second of two rounds counts. */
export const workflowTransitions: Scenario = async (): Promise<Row[]> => {
  const platform = await openPlatform()
  const { run, stop } = await serveRuns(platform)
  let [writes, moves, least, own] = [0, 0, none, none]
  for (const round of [1, 2]) {
    ;[writes, least] = await measured(runs, () => Promise.all(numbers(runs).map((at) => write(platform, at))))
    ;[moves, own] = await measured(runs, () => Promise.all(numbers(runs).map((at) => run(`${round}-${at}`))))
  }
  const [writesInTurn] = await measured(few, () => inTurn(few, (at) => write(platform, at)))
  const [movesInTurn] = await measured(few, () => inTurn(few, (at) => run(`few-${at}`)))
  await stop()
  await platform.close()
  return [
    atLeast(
      'workflows: transitions × one durable write each, 1,000 runs at once',
      moves / writes,
      0.5,
      `${moves.toFixed(0)} of ${writes.toFixed(0)} a second`,
      { known: 0.04 },
    ),
    atLeast(
      'workflows: transitions × one durable write each, one run after the other',
      movesInTurn / writesInTurn,
      0.5,
      `${movesInTurn.toFixed(0)} of ${writesInTurn.toFixed(0)} a second`,
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
