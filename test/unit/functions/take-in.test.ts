import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { takeIn } from '#functions/intake/take-in.ts'
import { registerAgent } from '#shared/domain/agents/register-agent.ts'
import { findTask } from '#shared/domain/tasks/task-store.ts'
import type { Platform } from '#shared/platform/platform.ts'
import { PlatformError } from '#shared/platform/platform-error.ts'
import { aPlatform } from '#test/support/embedded.ts'
import { aUlid } from '#test/support/items.ts'

let embedded: Awaited<ReturnType<typeof aPlatform>>
beforeAll(async () => {
  embedded = await aPlatform()
})
afterAll(() => embedded.close())

/** The platform, and the names of the metrics that it was given. */
const measured = (change: Partial<Platform> = {}) => {
  const metrics: string[] = []
  const telemetry = { ...embedded.platform.telemetry, metric: (name: string) => void metrics.push(name) }
  return { platform: { ...embedded.platform, telemetry, ...change }, metrics }
}
const anEvent = (detail: unknown) => ({ id: aUlid(), source: 'com.example.ci', detail })

const registerReviewer = () =>
  registerAgent(
    embedded.platform,
    { tenant: 'default', principal: { kind: 'key', id: 'test', role: 'admin' }, requestId: 'req' },
    {
      name: 'reviewer',
      type: 'test',
      version: '1.0.0',
      capabilities: [{ name: 'code.review', inputSchema: { type: 'object' } }],
      configuration: {},
      labels: {},
    },
  )

describe('an event from elsewhere', () => {
  it('is thrown while its agent is unknown, and is one task when it comes again', async () => {
    const { platform, metrics } = measured()
    const event = anEvent({ agent: 'reviewer', input: {} })
    await expect(takeIn(platform, event)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await registerReviewer()
    const first = await takeIn(platform, event)
    expect(first?.taskId).toMatch(/^tsk_/)
    expect(await takeIn(platform, event)).toEqual(first)
    expect(metrics).toEqual([])
  })

  it.each([
    ['a body that is none', { input: {} }],
    ['an input that the schema refuses', { agent: 'reviewer', input: 'text' }],
    ['a version that is not there', { agent: 'reviewer', version: '9.9.9', input: {} }],
    ['a range of versions that is none', { capability: 'code.review', requirements: { version: 'newest' }, input: {} }],
  ])('is counted as refused with %s', async (_, detail) => {
    const { platform, metrics } = measured()
    expect(await takeIn(platform, anEvent(detail))).toBeUndefined()
    expect(metrics).toEqual(['EventsRefused'])
  })

  it('is read as a submit is: a range of versions finds the agents that are in it', async () => {
    const { platform } = measured()
    const wish = { capability: 'code.review', requirements: { version: '^1.0.0' }, input: {} }
    const made = await takeIn(platform, anEvent(wish))
    const task = made && (await findTask(platform, 'default', made.taskId))?.value
    expect(task?.requirements?.version).toBe('>=1.0.0 <2.0.0-0')
    expect(task).toMatchObject({ status: 'QUEUED', target: { agentName: 'reviewer' } })
  })

  it('is thrown when the store is busy, and counted when the store can never take it', async () => {
    const failing = (code: 'THROTTLED' | 'TOO_LARGE') =>
      measured({
        main: { ...embedded.platform.main, write: () => Promise.reject(new PlatformError(code, 'as the test says')) },
      })
    const [busy, full] = [failing('THROTTLED'), failing('TOO_LARGE')]
    const event = anEvent({ capability: 'code.review', input: {} })
    await expect(takeIn(busy.platform, event)).rejects.toMatchObject({ code: 'THROTTLED' })
    expect(await takeIn(full.platform, event)).toBeUndefined()
    expect([busy.metrics, full.metrics]).toEqual([[], ['EventsRefused']])
  })
})
