import { expect, it, vi } from 'vitest'
import { attemptsTask } from '#cli/commands/task.ts'
import type { AttemptResponse } from '#shared/contracts/tasks.ts'
import { aServer, json } from './a-server.ts'

const attempt = (nth: number): AttemptResponse => ({
  attempt: nth,
  fence: String(nth),
  instance: 'ins_1',
  version: '1.0.0',
  outcome: 'LEASE_LOST',
  startedAt: '2026-01-01T00:00:00.000Z',
})

it('shows every attempt of a task, however many pages they are', async () => {
  await using server = await aServer(({ url }, response) =>
    url.includes('cursor=more')
      ? json(response, 200, { items: [attempt(2)], nextCursor: null })
      : json(response, 200, { items: [attempt(1)], nextCursor: 'more' }),
  )
  const written: string[] = []
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => written.push(String(text)) > 0)
  await attemptsTask(server.client, 'tsk_1', { json: true })
  write.mockRestore()
  expect(JSON.parse(written.join(''))).toEqual({ items: [attempt(1), attempt(2)], nextCursor: null })
})
