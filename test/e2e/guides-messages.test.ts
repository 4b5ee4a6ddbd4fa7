import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { aGuideServer } from '#test/support/guide-server.ts'

let guides: Awaited<ReturnType<typeof aGuideServer>>
beforeAll(async () => {
  guides = await aGuideServer([{ guide: 'messages', name: 'scribe' }])
})
afterAll(() => guides?.close())

describe('the guide to messages', () => {
  it('handles a message, answers a request, and sends on to an agent that does not run', async () => {
    const lines = await guides.run('messages', 'messages')
    expect(lines).toContain('3')
    expect(lines.some((line) => line.includes('"text":"HELLO"'))).toBe(true)
    expect(lines.at(-2)).toMatch(/^scribe: (DONE|WAITING), received 0 times$/)
  })

  it('hands out one message of a conversation at a time', async () => {
    const lines = await guides.run('messages', 'mailbox')
    expect(lines.filter((line) => line.startsWith('note.kept page.added'))).toEqual(['note.kept page.added'])
    expect(lines).toContain('2 acknowledged')
    expect(lines.filter((line) => line.includes('page.added') && line.startsWith('msg_'))).toHaveLength(1)
  })

  it('makes a dead letter of a message whose handler fails, and puts it back', async () => {
    const lines = await guides.run('messages', 'dead')
    expect(lines.some((line) => line.includes('the note is empty'))).toBe(true)
    expect(lines.at(-2)).toBe('1 wait again')
  })

  it('tells every agent, and what became of it', async () => {
    const lines = await guides.run('messages', 'broadcast')
    expect(lines.some((line) => line.startsWith('archive: WAITING'))).toBe(true)
  })
})
