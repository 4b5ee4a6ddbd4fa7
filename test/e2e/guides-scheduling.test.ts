import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { aGuideServer } from '#test/support/guide-server.ts'

let guides: Awaited<ReturnType<typeof aGuideServer>>
beforeAll(async () => {
  guides = await aGuideServer([{ guide: 'scheduling', name: 'stamper' }])
})
afterAll(() => guides?.close())

describe('the guide to scheduling', () => {
  it('submits with a lane, keys, a deadline and a start time', async () => {
    const lines = await guides.run('scheduling', 'submit')
    expect(lines.filter((line) => line.includes('stamped'))).toHaveLength(2)
    expect(lines.some((line) => /^status +SCHEDULED$/.test(line))).toBe(true)
    expect(lines.some((line) => /^chosen +only stamper offers text\.stamp$/.test(line))).toBe(true)
    expect(lines.some((line) => line.includes('START_TIME'))).toBe(true)
  })

  it('waits for what nobody meets, and says why', async () => {
    const [line] = await guides.run('scheduling', 'requirements')
    expect(line).toMatch(
      /^QUEUED: no agent that offers text\.stamp can: stamper: its version [\d.]+ is not in >=2\.0\.0/,
    )
  })

  it('takes turns between the values of a label', async () => {
    expect(await guides.run('scheduling', 'fairness')).toContain('red')
  })
})
