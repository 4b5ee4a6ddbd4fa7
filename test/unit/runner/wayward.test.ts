import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { wordsOf } from '#agent/runner/crash-words.ts'
import { createMask } from '#agent/runner/mask.ts'
import { createSlot } from '#agent/runner/slot.ts'
import { runTask } from '#agent/runner/task-run.ts'
import { resourcesOf } from '#agent/sdk/resources.ts'
import { aFakePlatform, aLeasedTask } from './fake-platform.ts'

const agent = fileURLToPath(new URL('../../fixtures/agents/wayward', import.meta.url))
let root: string

const run = async (capability: string) => {
  const platform = aFakePlatform()
  const slot = await createSlot({ agent, resources: resourcesOf({}), root })
  const task = aLeasedTask({ capability, input: null })
  const rest = { agent: 'wayward', mask: createMask([]), onContact: () => undefined }
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
})
