import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { aGuideServer } from '#test/support/guide-server.ts'

let guides: Awaited<ReturnType<typeof aGuideServer>>
beforeAll(async () => {
  guides = await aGuideServer([
    { guide: 'approvals', name: 'releaser' },
    { guide: 'streaming', name: 'summer' },
  ])
})
afterAll(() => guides?.close())

/** What a block of a guide prints. */
const run = async (guide: string, name: string): Promise<string> => (await guides.run(guide, name)).join('\n')
const lastJson = (text: string): unknown => JSON.parse(text.slice(text.lastIndexOf('\n{') + 1))

describe.concurrent('the guides to people and streams', () => {
  it('approvals.md: a task asks twice, is answered by two commands, and ends', async () => {
    const printed = await run('approvals', 'people')
    expect(printed).toContain('which branch?')
    expect(printed).toMatch(/approvers +ann, group:release-team/)
    expect(printed).toMatch(/apr_\w+ APPROVED/)
    expect(lastJson(printed)).toEqual({ branch: 'main', released: true })
  })

  it('streaming.md: a task sums up what it is given while it runs, and tells each sum', async () => {
    const printed = await run('streaming', 'stream')
    expect(printed).toContain('5 records, ended')
    expect(printed).toContain('{"seq":5,"sum":15}')
    expect(lastJson(printed)).toEqual({ sum: 15 })
  })
})
