import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { aGuideServer } from '#test/support/guide-server.ts'
import { until } from '#test/support/server-process.ts'

let guides: Awaited<ReturnType<typeof aGuideServer>>
beforeAll(async () => {
  guides = await aGuideServer([{ guide: 'budgets', name: 'spender' }])
})
afterAll(() => guides?.close())

describe('the guide to budgets', () => {
  it('ends a task that spends more than its budget', async () => {
    const lines = await guides.run('budgets', 'budget')
    expect(lines).toContain('it failed')
    expect(lines).toContain('BUDGET')
    expect(lines.find((line) => line.includes('BUDGET '))).toMatch(/1 +BUDGET +[\d.]+ +\d+/)
  })

  it('gives children what is left, and refuses one too many', async () => {
    const lines = await guides.run('budgets', 'tree')
    expect(lines.join('').replaceAll(/\s/g, '')).toContain('[{"spent":10},{"spent":10},{"spent":10}]')
    expect(lines).toContain('four times 30 is more than 100')
  })

  it('shows what was used', async () => {
    const lines = await guides.run('budgets', 'usage')
    expect(lines.some((line) => /^spender +\d+ /.test(line))).toBe(true)
    expect(lines.some((line) => /^ATTEMPT +OUTCOME/.test(line) || /^ +1 +\w+/.test(line))).toBe(true)
  })
})

describe('the guide to limits', () => {
  it('sets and shows them', async () => {
    await until(() => guides.server.client.get('/agents/code-reviewer').catch(() => undefined), { what: 'the agent' })
    const lines = await guides.run('limits', 'limits')
    expect(lines.some((line) => /^agent:code-reviewer +4 +300\/60 s +0 +0 +300$/.test(line))).toBe(true)
    expect(lines.some((line) => /^key:acme +1 /.test(line))).toBe(true)
  })

  it('does the same over HTTP', async () => {
    const lines = await guides.run('limits', 'limits-http')
    expect(lines).toContain('{"count":10,"seconds":60}')
    expect(lines).toContain('undefined')
  })

  it('refuses submits beyond the rate, with headers that tell', async () => {
    const lines = await guides.run('limits', 'submit-rate')
    expect(lines.some((line) => line.startsWith('202 "submit";r=0;t='))).toBe(true)
    expect(lines.some((line) => line.startsWith('429 "submit";r=0;t='))).toBe(true)
  })
})
