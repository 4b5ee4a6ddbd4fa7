import { afterAll, beforeAll, expect, it } from 'vitest'
import { createApi } from '#functions/api/app.ts'
import { sweep } from '#functions/sweep/sweep.ts'
import { createApiKey } from '#shared/domain/access/api-key.ts'
import type { Platform } from '#shared/platform/platform.ts'
import { aPlatform } from '#test/support/embedded.ts'
import { aSkewedClock } from '#test/support/skewed-clock.ts'

// Nothing reads the feed here: what the projector would have done is missed.
const clock = aSkewedClock()
let platform: Platform
let close: () => Promise<void>
beforeAll(async () => {
  const opened = await aPlatform(undefined, clock)
  platform = opened.platform
  close = opened.close
})
afterAll(() => close())

it('a letter for a task is attended by the sweep when the making of its task was missed, and when its end was', async () => {
  const { apiKey } = await createApiKey(platform, { tenant: 'default', role: 'admin', name: 'test' })
  const app = createApi({ platform, settings: { version: '0.0.0', streamSeconds: 0, holdSeconds: 0 } })
  const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' }
  const call = async (path: string, body?: object): Promise<ReturnType<typeof JSON.parse>> =>
    (
      await app.request(`/api/v2${path}`, {
        headers,
        ...(body && { method: 'POST', body: JSON.stringify(body) }),
      })
    ).json()
  await call('/agents', { name: 'handler', messages: [{ type: 'note.left' }] })
  const { id } = await call('/messages', { to: { agent: 'handler' }, type: 'note.left', data: 1 })
  const tasks = async () => (await call('/tasks?agent=handler')).items
  const letters = async () => (await call(`/messages/${id}`)).letters
  await sweep(platform)
  expect(await tasks()).toEqual([])
  clock.forward(301_000)
  await sweep(platform)
  const [task] = await tasks()
  expect(task).toMatchObject({ status: 'QUEUED' })
  await call(`/tasks/${task.id}/cancel`, {})
  await sweep(platform)
  expect(await letters()).toMatchObject([{ state: 'WAITING' }])
  clock.forward(3_601_000)
  await sweep(platform)
  expect(await letters()).toMatchObject([{ state: 'DEAD', reason: { code: 'CANCELLED' } }])
  expect(await tasks()).toHaveLength(1)
})
