import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { aGuideServer } from '#test/support/guide-server.ts'

let guides: Awaited<ReturnType<typeof aGuideServer>>
beforeAll(async () => {
  guides = await aGuideServer([
    { guide: 'resources', name: 'careful' },
    { guide: 'control', name: 'sleeper' },
  ])
})
afterAll(() => guides?.close())

/** What a block of a guide prints. */
const run = async (guide: string, name: string): Promise<string> => (await guides.run(guide, name)).join('\n')

describe('the guides to control and resources', () => {
  it('control.md: a running task is cancelled, explained, and done again', async () => {
    const printed = await run('control', 'one')
    expect(printed).toMatch(/CANCELLED: it was cancelled by key:/)
    expect(printed.match(/tsk_\w+ CANCELLED/g)).toHaveLength(2)
  })

  it('control.md: many are cancelled at once', async () => {
    const printed = await run('control', 'many')
    expect(printed).toContain('3 tasks would be cancelled')
    expect(printed).toContain('3 tasks cancelled')
  })

  it('control.md: an agent that is paused starts nothing until it is resumed', async () => {
    const printed = await run('control', 'agent')
    expect(printed).toContain('sleeper MAINTENANCE (PAUSED)')
    expect(printed).toContain('PAUSED: agent sleeper is paused')
    expect(printed).toMatch(/sleeper (ONLINE|BUSY|IDLE) /)
    expect(printed).toContain('SUCCEEDED')
  })

  it('resources.md: a task that takes too much is ended, and its neighbour is not', async () => {
    const printed = await run('resources', 'hog')
    expect(printed).toContain('done')
    expect(printed).toMatch(/RESOURCE_LIMIT: the task used \d+ MB of memory, more than the 256 MB/)
  })
})
