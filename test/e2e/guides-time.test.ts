import { symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freePort } from '#test/support/free-port.ts'
import { aGuideServer } from '#test/support/guide-server.ts'
import { blockOf } from '#test/support/markdown.ts'

let guides: Awaited<ReturnType<typeof aGuideServer>>
let port: number
beforeAll(async () => {
  port = await freePort()
  guides = await aGuideServer([{ guide: 'schedules', name: 'report' }], ['--egress-allow', `127.0.0.1:${port}`])
  writeFileSync(join(guides.home, 'receiver.mjs'), blockOf('guides/webhooks.md', 'receiver.mjs'))
  symlinkSync(fileURLToPath(new URL('../../node_modules', import.meta.url)), join(guides.home, 'node_modules'))
})
afterAll(() => guides?.close())

describe.concurrent('the guide to schedules', () => {
  it('makes, pauses, resumes and deletes them, and one starts tasks', async () => {
    const lines = await guides.run('schedules', 'schedules')
    expect(lines).toContain('when     30 8 * * 1-5 Europe/Berlin')
    expect(lines.some((line) => /^sch_\w+ is PAUSED$/.test(line))).toBe(true)
    expect(lines.some((line) => /^sch_\w+ is ACTIVE; its next start is \S+Z$/.test(line))).toBe(true)
    expect(lines.some((line) => /^last +\S+Z (STARTED tsk_|SKIPPED)/.test(line))).toBe(true)
    expect(lines.filter((line) => /^sch_\w+ +ACTIVE +weekday-report /.test(line))).toHaveLength(1)
  })

  it('does the same over HTTP, and is told what is wrong', async () => {
    expect(await guides.run('schedules', 'schedules-http')).toEqual(['5', '900', '#/cron/expression', ''])
  })
})

describe.concurrent('the guide to webhooks', () => {
  it('delivers an event to a receiver that checks its signature, twice under one id', async () => {
    const lines = await guides.run('webhooks', 'webhooks', { PORT: String(port) })
    expect(lines.filter((line) => /^secret +whsec_/.test(line))).toHaveLength(2)
    expect(lines.filter((line) => line.startsWith('io.devcycle.task.cancelled.v1 tsk_'))).toHaveLength(1)
    expect(lines.some((line) => /^dlv_\w+ +DELIVERED +task\.cancelled +tsk_\w+ +2 .* 204$/.test(line))).toBe(true)
  })
})
