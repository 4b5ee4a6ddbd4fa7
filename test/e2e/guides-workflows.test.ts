import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { aGuideServer } from '#test/support/guide-server.ts'
import { markedBlocks } from '#test/support/markdown.ts'

let guides: Awaited<ReturnType<typeof aGuideServer>>
beforeAll(async () => {
  guides = await aGuideServer([
    { guide: 'workflows', name: 'desk' },
    { guide: 'workflows', name: 'clerk' },
    ...['crew', 'lead', 'ann', 'bob'].map((name) => ({ guide: 'patterns', name })),
  ])
  for (const page of ['guides/workflows.md', 'guides/patterns.md'])
    for (const { name, text } of markedBlocks(page))
      if (name.endsWith('.yaml')) writeFileSync(join(guides.home, name), text)
})
afterAll(() => guides?.close())

describe('the guide to workflows', () => {
  it('drafts, asks, publishes, and undoes it when it is stopped', async () => {
    const lines = await guides.run('workflows', 'article')
    expect(lines).toContain('flowchart TD')
    expect(lines.some((line) => /step editors: waits for approval apr_\w+ of editors until/.test(line))).toBe(true)
    expect(lines.some((line) => /^undone +published$/.test(line))).toBe(true)
    expect(lines.some((line) => /✓ undo: withdrawn +SUCCEEDED/.test(line))).toBe(true)
  })

  it('shares a value between agents that work side by side', async () => {
    expect((await guides.run('workflows', 'board')).join('')).toBe('{  "letters": 12}')
  })

  it('asks an agent that handles the request as one of the run', async () => {
    expect((await guides.run('workflows', 'price')).map((line) => line.trim()).join('')).toBe(
      '{"price": 3,"seen": true}price.known',
    )
  })

  it('starts runs by a message and by a schedule', async () => {
    const lines = await guides.run('workflows', 'starts')
    expect(lines.map((line) => line.trim()).join('')).toMatch(/price 1.*\{"price": 4,"seen": true\}$/)
  })

  it('warns of a capability that nobody offers, and leads runs to a version', async () => {
    expect(await guides.run('workflows', 'aliases')).toEqual([
      '"message":"nobody offers text.drfat: its task will wait"',
      'article 1',
      '"aliases":{"live":{"1":100}',
      expect.stringMatching(/^article +1 +live: 1×100/),
      '',
    ])
  })
})

describe('the guide to patterns', () => {
  it('runs each of them', async () => {
    const lines = await guides.run('patterns', 'patterns')
    expect(lines.slice(0, 7)).toEqual([
      'fan {"n":25}',
      'reduce {"n":2870}',
      'handoff {"text":"tea!andtea!"}',
      'critic {"text":"tea!!!"}',
      'vote {"choice":"yes!","votes":2,"of":3,"ballots":["yes!","yes!","no!"]}',
      'contract {"text":"workofbob!"}',
      'supervisor {"text":"tea!andtea!!"}',
    ])
    expect(lines[7]).toMatch(/run run_\w+ is FAILED: NO_HOTEL; what it had done was undone$/)
    expect(lines.some((line) => line.includes('"approved": true'))).toBe(true)
    expect(lines.at(-1)).toBe('{"text":"b-1!"}')
  }, 110_000)

  it('gives a job to the best bidder, over messages', async () => {
    expect((await guides.run('patterns', 'bids')).join('\n')).toContain('paint by bob')
  }, 110_000)

  it('stops a supervisor at its budget, and keeps what was done', async () => {
    const text = (await guides.run('patterns', 'supervise')).join('').replaceAll(/\s/g, '')
    expect(text).toContain('{"done":[{"n":1},{"n":4},{"n":9}],"stopped":"BUDGET"}')
  }, 110_000)

  it('leads from topic to topic without a workflow', async () => {
    expect((await guides.run('patterns', 'chain')).join('\n')).toContain('checked b-7')
  }, 110_000)
})
