import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { aGuideServer } from '#test/support/guide-server.ts'

let guides: Awaited<ReturnType<typeof aGuideServer>>
beforeAll(async () => {
  guides = await aGuideServer([
    { guide: 'batch', name: 'upper' },
    { guide: 'distributed', name: 'numbers' },
  ])
})
afterAll(() => guides?.close())

// One after the other: the guide looks at the newest batch.
describe('the guide to batches', () => {
  it('submits a file, and reports by line what failed', async () => {
    const lines = await guides.run('batch', 'batch')
    expect(lines).toContain('PARTIAL: 2 of 4 succeeded, 2 failed')
    expect(lines).toContain('some rows failed')
    expect(lines).toContain('SUCCEEDED: 1 of 1 succeeded')
    const report = lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line))
    expect(report).toMatchObject([
      { line: 3, code: 'AGENT_ERROR', message: 'there is no text' },
      { line: 4, code: 'INVALID' },
    ])
    expect(lines.filter((line) => line.startsWith('tsk_'))).toHaveLength(3)
  })

  it('does the same over HTTP', async () => {
    expect(await guides.run('batch', 'batch-http')).toEqual(['2', '[ 202, 422 ]', ''])
  })
})

describe.concurrent('the guide to distributed tasks', () => {
  it('divides tasks and joins their results', async () => {
    const [list, sum, failed, quorum] = (await guides.run('distributed', 'shards')).map(
      (line) => line && JSON.parse(line),
    )
    expect(list).toEqual({ status: 'SUCCEEDED', result: [1, 4, 9] })
    expect(sum).toEqual({ status: 'SUCCEEDED', result: 385 })
    expect(failed).toMatchObject({
      status: 'FAILED',
      failure: { code: 'AGENT_ERROR', message: expect.stringContaining('shard 1: AGENT_ERROR: -1 is negative') },
    })
    expect(quorum).toEqual({ status: 'SUCCEEDED', result: [1, null, 9] })
  })

  it('calls child tasks', async () => {
    const lines = await guides.run('distributed', 'calls')
    expect(lines).toContain('5')
    expect(lines.filter((line) => line.startsWith('tsk_'))).toHaveLength(3)
  })
})
