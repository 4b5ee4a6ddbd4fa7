import { symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { aGuideServer } from '#test/support/guide-server.ts'
import { blockOf } from '#test/support/markdown.ts'

let guides: Awaited<ReturnType<typeof aGuideServer>>
beforeAll(async () => {
  guides = await aGuideServer([{ guide: 'topics', name: 'announcer' }])
  writeFileSync(join(guides.home, 'shop.mjs'), blockOf('guides/topics.md', 'shop.mjs'))
  symlinkSync(fileURLToPath(new URL('../../node_modules', import.meta.url)), join(guides.home, 'node_modules'))
})
afterAll(() => guides?.close())

describe('the guide to topics', () => {
  it('makes a task of the one posted message that the pattern matches', async () => {
    const lines = await guides.run('topics', 'topics')
    const posted = lines.filter((line) => line.startsWith('202 '))
    expect(posted.map((line) => line.includes('"duplicate":true'))).toEqual([false, false, true, false])
    expect(lines.filter((line) => /^mat_\w+ +DELIVERED +msg_\w+ +1 .* tsk_/.test(line))).toHaveLength(1)
  })

  it('gives a later subscription what was published before', async () => {
    const lines = await guides.run('topics', 'replay')
    expect(lines[0]).toBe('3 given again')
    expect(lines.filter((line) => /^tsk_/.test(line))).toHaveLength(3)
    expect(lines.filter((line) => /^sub_\w+ +orders\./.test(line))).toHaveLength(2)
    expect(lines.at(-2)).toMatch(/^sub_\w+ is deleted$/)
  })

  it('hands a message out again until it is acknowledged, and sets it aside after too many receives', async () => {
    const lines = await guides.run('topics', 'queues')
    expect(lines.some((line) => /^ltr_\w+\.\w+ {2}change\.ready {2}\{"change":7\}$/.test(line))).toBe(true)
    expect(lines.some((line) => /^ltr_\w+ +msg_\w+ +change\.ready .*RECEIVES: /.test(line))).toBe(true)
    expect(lines).toContain('1 wait again')
    expect(lines).toContain('dead letters    0')
    expect(lines).toContain('waiting         0')
  })

  it('tells everything that is wrong with a pattern', async () => {
    const lines = await guides.run('topics', 'refused')
    expect(lines.map((line) => line.split(':')[0])).toEqual(['#/pattern/type', '#/pattern/data/n/0/numeric', ''])
  })
})
