import { describe, expect, it } from 'vitest'
import { createReporter, type Report } from '#agent/runner/reporter.ts'

const mostOfARequest = 256 * 1024

describe('the reporter', () => {
  it('keeps requests below what the platform takes, in bytes', async () => {
    const sent: Report[] = []
    const reporter = createReporter(
      async (report) => void sent.push(report),
      () => undefined,
    )
    for (let n = 0; n < 20; n++) reporter.output('€'.repeat(30_000))
    await reporter.flush()
    expect(sent.flatMap(({ output }) => output)).toHaveLength(20)
    for (const report of sent) expect(Buffer.byteLength(JSON.stringify(report))).toBeLessThan(mostOfARequest)
  })

  it('sends a checkpoint after what was told before it, and before what is told after it', async () => {
    const sent: Report[] = []
    let underWay = 0
    const reporter = createReporter(
      async (report) => {
        expect(++underWay).toBe(1)
        await new Promise((resolve) => setTimeout(resolve, 20))
        underWay--
        sent.push(report)
      },
      () => undefined,
    )
    reporter.output(1)
    const durable = reporter.checkpoint('here')
    reporter.output(2)
    await Promise.all([durable, reporter.flush()])
    expect(sent).toEqual([{ output: [{ chunk: 1 }] }, { checkpoint: 'here' }, { output: [{ chunk: 2 }] }])
  })
})
