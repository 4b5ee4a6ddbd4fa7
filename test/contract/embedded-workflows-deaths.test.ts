import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  createEmbeddedWorkflows,
  type EmbeddedWorkflows,
} from '#shared/platform/embedded/workflows/embedded-workflows.ts'
import { runPk } from '#shared/platform/embedded/workflows/rows.ts'
import type { RunTable } from '#shared/platform/embedded/workflows/run-store.ts'
import type { RunEvent, RunRef } from '#shared/platform/platform.ts'
import { createSystemRandom } from '#shared/platform/system.ts'
import { eventually } from '#test/support/eventually.ts'
import { aFastClock } from '#test/support/fast-clock.ts'
import { aMachine, aMap, aNotice, aParallel, aPass, aStep } from '#test/support/machines.ts'
import type { StepCommand } from '#test/support/runs.ts'
import { aStorage } from '#test/support/storage.ts'

const Retry = [{ ErrorEquals: ['Flaky'], IntervalSeconds: 1, MaxAttempts: 2, JitterStrategy: 'FULL' }]
const Catch = [{ ErrorEquals: ['States.ALL'], Next: 'Mend', Assign: { why: '{% $states.errorOutput.Error %}' } }]
const attempt = { attempt: '{% $states.context.State.RetryCount %}' }
const item = { ItemSelector: { n: '{% $states.context.Map.Item.Value %}' }, MaxConcurrency: 2 }

/** Every kind of state, with a failure that is tried again, and one that is caught. */
const machine = aMachine({
  Begin: aPass({ Assign: { base: 100 } }),
  Tell: aNotice({ Output: [1, 2, 3] }),
  Each: aMap({ Ask: aStep({ Retry }, attempt), Add: aPass({ Output: '{% $states.input + $base %}' }) }, item),
  Rest: { Type: 'Wait', Seconds: 2 },
  Both: aParallel([{ Left: aStep() }, { Right: aStep(), Never: aStep() }], { Catch, Output: 'not this' }),
  Mend: aPass({ Output: '{% $why %}' }),
  Done: { Type: 'Succeed', Output: { why: '{% $states.input %}', base: '{% $base %}' } },
})
const run: RunRef = { tenant: 'acme', workflow: 'every-kind', run: 'one' }

/** What a worker answers: the first try of each item fails, and the right branch does; the left one is never answered. */
const answerTo = (workflows: EmbeddedWorkflows, { step, token, attempt }: StepCommand): Promise<unknown> => {
  if (step === 'Left' || token === undefined) return Promise.resolve()
  if (step === 'Right') return workflows.fail(token, { error: 'Broken' })
  return attempt === 0 ? workflows.fail(token, { error: 'Flaky' }) : workflows.succeed(token, attempt)
}

type Death = { last: number; stored: boolean }

/** The same table, for a process that ends for good with its nth write: before it was stored, or before it was known. */
const dying = (table: RunTable, { last, stored }: Death) => {
  const life = { writes: 0, over: false }
  const ended = (): never => {
    throw new Error('the process ended')
  }
  const alive =
    <A extends unknown[], T>(call: (...args: A) => Promise<T>) =>
    async (...args: A): Promise<T> =>
      life.over ? ended() : call(...args)
  const mortal: RunTable = {
    get: alive(table.get) as RunTable['get'],
    getMany: alive(table.getMany) as RunTable['getMany'],
    query: alive(table.query) as RunTable['query'],
    queryKeys: alive(table.queryKeys),
    async writeTogether(writes) {
      if (life.over) return ended()
      life.writes++
      if (life.writes < last) return table.writeTogether(writes)
      life.over = true
      if (stored) await table.writeTogether(writes)
      return ended()
    },
  }
  return { table: mortal, life }
}

const clock = aFastClock(40)
const random = createSystemRandom()
const silent = {
  log: () => undefined,
  metric: () => undefined,
  span: <T>(_: string, __: object, work: () => Promise<T>) => work(),
  flush: async () => undefined,
}

/** One process: it goes on with what is stored, and answers what it is asked. */
const aProcess = (table: RunTable) => {
  const workflows = createEmbeddedWorkflows({ table, clock, random, telemetry: silent })
  const told: string[] = []
  const serving = workflows.serve({
    onCommand: async (body) => {
      const command = body as StepCommand
      if (command.token === undefined) told.push(command.step)
      await answerTo(workflows, command)
    },
    onEnd: async ({ status }) => void told.push(status),
  })
  const die = async (): Promise<void> => {
    await workflows.close()
    await serving.stop()
  }
  return { workflows, told, die }
}

const begin = async ({ deploy, start }: EmbeddedWorkflows): Promise<void> => {
  await deploy({ ...run, version: '1', asl: machine })
  await start({ ...run, version: '1', input: {} })
}
const ended = ({ describe }: EmbeddedWorkflows) =>
  eventually(async () => {
    const found = await describe(run)
    expect(found?.status).toBe('SUCCEEDED')
    return found
  })
/** A receipt of the queue is another one each time. */
const shown = (output: unknown): string =>
  (JSON.stringify(output) ?? '').replace(/"MessageId":"[^"]+"/, '"MessageId":"…"')

/** What happened how often, in whatever order branches came. */
const countsOf = (events: RunEvent[]): Record<string, number> =>
  Object.fromEntries(
    [...Map.groupBy(events, ({ type, name, output }) => `${type} ${name ?? ''} ${shown(output)}`)]
      .map(([key, group]) => [key, group.length] as const)
      .toSorted(([a], [b]) => a.localeCompare(b)),
  )

describe('a process that ends between two transitions of a run', () => {
  let home: string
  let expected: Record<string, number>
  let writes = 0
  const inFolder = async (name: string, work: (table: RunTable) => Promise<void>): Promise<void> => {
    const folder = join(home, name)
    await mkdir(folder)
    const storage = await aStorage(folder)
    await work(storage.workflows)
    await storage.close()
  }
  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'devcycle-deaths-'))
    await inFolder('undisturbed', async (stored) => {
      const { table, life } = dying(stored, { last: Number.POSITIVE_INFINITY, stored: true })
      const { workflows, told, die } = aProcess(table)
      await begin(workflows)
      expect(await ended(workflows)).toMatchObject({ output: { why: 'Broken', base: 100 } })
      await eventually(() => expect(told).toEqual(['Tell', 'SUCCEEDED']))
      expected = countsOf((await workflows.history(run, { limit: 1000 })).events)
      await die()
      writes = life.writes
    })
  })
  afterAll(() => rm(home, { recursive: true, force: true }))

  it('has many of them', () => {
    expect(writes).toBeGreaterThan(12)
    expect(expected).toMatchObject({ 'TaskSucceeded  1': 3, 'MapIterationSucceeded Each ': 3, 'ExecutionStarted  ': 1 })
  })

  it('keeps a run that ended in the moment in which its time came', async () => {
    await inFolder('due', async (table) => {
      const first = aProcess(table)
      await begin(first.workflows)
      await ended(first.workflows)
      await first.die()
      let looks = 0
      const late: RunTable['queryKeys'] = async (query) => {
        const page = await table.queryKeys(query)
        const before = { pk: runPk(run), sk: 'head', place: '' }
        return looks++ === 0 ? { ...page, items: [before, ...page.items] } : page
      }
      const second = aProcess({ ...table, queryKeys: late })
      await eventually(() => expect(looks).toBeGreaterThan(1))
      await second.die()
      expect(await second.workflows.describe(run)).toMatchObject({ status: 'SUCCEEDED' })
    })
  })

  it.each([false, true])(
    'runs no finished step again, and loses none; stored: %s',
    async (stored) => {
      for (let last = 1; last <= writes; last++)
        await inFolder(`${last}-${stored}`, async (table) => {
          const mortal = dying(table, { last, stored })
          const first = aProcess(mortal.table)
          await begin(first.workflows).catch(() => undefined)
          // Writes that come at once share one: a run may end before its process does.
          await eventually(() => expect(mortal.life.over || first.told.includes('SUCCEEDED')).toBe(true))
          await first.die()
          const second = aProcess(table)
          await begin(second.workflows)
          expect(await ended(second.workflows)).toMatchObject({ output: { why: 'Broken', base: 100 } })
          await eventually(() =>
            expect([...first.told, ...second.told]).toEqual(expect.arrayContaining(['Tell', 'SUCCEEDED'])),
          )
          const { events } = await second.workflows.history(run, { limit: 1000 })
          expect({ last, counts: countsOf(events) }).toEqual({ last, counts: expected })
          await second.die()
        })
    },
    120_000,
  )
})
