import { readFileSync } from 'node:fs'
import { Parser } from '@asyncapi/parser'
import { expect, it } from 'vitest'
import { publicEventTypes } from '#shared/domain/webhooks/event-types.ts'

it('the AsyncAPI document is valid, and names every event', async () => {
  const text = readFileSync(new URL('../../../docs/asyncapi.yaml', import.meta.url), 'utf8')
  const { document, diagnostics } = await new Parser().parse(text)
  expect(diagnostics.filter(({ severity }) => severity === 0)).toEqual([])
  const names = document?.messages().map((one) => one.title())
  expect(names).toEqual(expect.arrayContaining([...publicEventTypes, 'CloudEvent', 'SendMessage']))
  expect(document?.operations().map((one) => one.id())).toContain('publish')
}, 60_000)
