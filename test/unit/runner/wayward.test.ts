import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { wordsOf } from '#agent/runner/crash-words.ts'
import { createMask } from '#agent/runner/mask.ts'
import { createSlot } from '#agent/runner/slot.ts'
import { runTask } from '#agent/runner/task-run.ts'
import { resourcesOf } from '#agent/sdk/resources.ts'
import { aFakePlatform, aLeasedTask, refusal } from './fake-platform.ts'

const agent = fileURLToPath(new URL('../../fixtures/agents/wayward', import.meta.url))
let root: string

type Answer = NonNullable<Parameters<typeof aFakePlatform>[0]>['answer']

const run = async (
  capability: string,
  { timeoutSeconds = 60, ...given }: { timeoutSeconds?: number; answer?: Answer } = {},
) => {
  const platform = aFakePlatform(given)
  const slot = await createSlot({ agent, resources: resourcesOf({}), root })
  const task = aLeasedTask({ capability, input: null, timeoutSeconds })
  const rest = { agent: 'wayward', mask: createMask([]), onContact: () => undefined, graceMs: 400 }
  await runTask({ task, slot, source: platform.source, ...rest }).ended
  return platform
}

beforeAll(async () => {
  const onDisk = join(process.cwd(), 'node_modules', '.cache') // what is written to memory is not counted
  await mkdir(onDisk, { recursive: true })
  root = await mkdtemp(join(onDisk, 'wayward-'))
})
afterAll(() => rm(root, { recursive: true, force: true }))

describe('what a handler says that is no JSON', () => {
  it.each(['result', 'output', 'checkpoint', 'call'])(
    'as its %s fails its attempt, which says so and is not repeated',
    async (what) => {
      const platform = await run(what)
      expect(platform.bodies('fail')).toEqual([
        {
          fence: '1.1',
          code: 'AGENT_ERROR',
          message: expect.stringMatching(new RegExp(`^the ${what} is no JSON: [^\\n]+$`)),
          retryable: false,
        },
      ])
      expect(platform.bodies('complete')).toEqual([])
    },
  )
})

describe('what JSON would lose without a word', () => {
  it.each([
    ['nan', 'the result is no JSON: mean is NaN'],
    ['infinity', 'the result is no JSON: 1 is -Infinity'],
    ['map', 'the result is no JSON: it is a Map'],
    ['set', 'the checkpoint is no JSON: seen is a Set'],
    ['promise', 'the output is no JSON: later is a Promise'],
    ['function', 'the result is no JSON: it is a function'],
  ])('is refused: %s', async (capability, message) => {
    const platform = await run(capability)
    expect(platform.bodies('fail')).toEqual([{ fence: '1.1', code: 'AGENT_ERROR', message, retryable: false }])
    expect(platform.bodies('complete')).toEqual([])
  })

  it('is nothing that has a form in JSON, or is not there', async () => {
    const [done] = (await run('plain')).bodies('complete')
    expect(done).toMatchObject({ result: { at: '1970-01-01T00:00:00.000Z', text: 'long', list: [null, 0, 1e300] } })
  })
})

describe('a crash', () => {
  it('is told without its stack trace', async () => {
    const [failure] = (await run('crash')).bodies('fail')
    expect(failure).toMatchObject({
      code: 'CRASH',
      message: "the task's process ended with exit code 1: Error: nobody waited for it",
    })
  })

  it('keeps every line that its process wrote itself', () => {
    const source = 'file:///somewhere/agent.ts:7\n  throw new Error("x")\n        ^\n\n'
    const frames = '    at run (file:///somewhere/agent.ts:7:9)\n    at async node:internal/x:1:2\n'
    const said = `loading at full speed\n${source}Error: two\nlines\n${frames}\nNode.js v24.1.0\n`
    expect(wordsOf(said)).toBe('loading at full speed\nError: two\nlines')
    const native = '----- Native stack trace -----\n\n 1: 0xe3f0a3 node::OOMErrorHandler [node]\n10: 0x1 v8 [node]\n'
    expect(wordsOf(`FATAL ERROR: heap out of memory\n${native}`)).toBe('FATAL ERROR: heap out of memory')
  })
})

const linux = process.platform === 'linux'

describe.skipIf(!linux)(`what a task wrote${linux ? '' : ' (left out: there is no /proc)'}`, () => {
  it('is counted whole, also of one that ends soon', async () => {
    const [done] = (await run('write')).bodies('complete')
    expect(done).toMatchObject({ usage: { bytesWritten: expect.any(Number) } })
    const { usage } = done as { usage: { bytesWritten: number } }
    expect(usage.bytesWritten).toBeGreaterThanOrEqual(20 * 1024 * 1024)
  })

  const atLeast = (bytes: number) => expect.toSatisfy((written: number) => written >= bytes)
  const late = {
    cpuSeconds: expect.any(Number),
    peakMemoryMb: expect.any(Number),
    bytesWritten: atLeast(20 * 1024 * 1024),
  }

  it('is counted whole where its process is killed, whenever that was looked at before', async () => {
    const slot = await createSlot({ agent, resources: resourcesOf({}), root })
    const written = new Promise<void>((resolve) => slot.onMessage(({ type }) => type === 'progress' && resolve()))
    const { taskId: id, budgetLeft: _, leaseSeconds: __, ...task } = aLeasedTask({ capability: 'deaf' })
    slot.send({ type: 'run', task: { ...task, id, checkpoint: null } })
    await sleep(400) // what is written is looked at once a second: a first time by now
    slot.send({ type: 'abort', reason: 'its time is over' })
    await written
    slot.kill()
    await slot.ended
    expect(slot.measured()).toMatchObject(late)
    await slot.dispose()
  })

  it('is counted up to the moment at which it is killed, as it did not heed that its time was over', async () => {
    const platform = await run('deaf', { timeoutSeconds: 3 })
    expect(platform.bodies('progress').at(-1)).toMatchObject({ usage: late })
    expect(platform.bodies('fail')).toMatchObject([{ code: 'TIMEOUT' }])
  })

  it('is counted as well where the platform has ended the attempt meanwhile', async () => {
    const answer: Answer = ({ path }) => (path.endsWith('/progress') ? refusal(409, 'STALE_FENCE') : undefined)
    const platform = await run('deaf', { timeoutSeconds: 3, answer })
    expect(platform.bodies('usage')).toMatchObject([late])
  })
})
