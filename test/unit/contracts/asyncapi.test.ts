import { readFileSync } from 'node:fs'
import { Parser } from '@asyncapi/parser'
import { expect, it } from 'vitest'
import { clientFrameSchema, serverFrameSchema } from '#shared/contracts/realtime.ts'
import { publicEventTypes } from '#shared/domain/webhooks/event-types.ts'

const read = async () => {
  const text = readFileSync(new URL('../../../docs/asyncapi.yaml', import.meta.url), 'utf8')
  return new Parser().parse(text)
}

it('the AsyncAPI document is valid, and names every event', async () => {
  const { document, diagnostics } = await read()
  expect(diagnostics.filter(({ severity }) => severity === 0)).toEqual([])
  const names = document?.messages().map((one) => one.title())
  expect(names).toEqual(expect.arrayContaining([...publicEventTypes, 'CloudEvent', 'SendMessage']))
  expect(document?.operations().map((one) => one.id())).toContain('publish')
})

it('it has the socket with every frame of both sides, and what answers each', async () => {
  const { document } = await read()
  const channel = document?.channels().get('socket')
  expect(channel?.address()).toBe('/api/v2/ws')
  expect(channel?.servers().map((one) => one.protocol())).toEqual(['ws'])
  const frames = (of: { options: readonly unknown[] }) =>
    of.options.map((one) => (one as { shape: { type: { value: string } } }).shape.type.value)
  const literals = (action: 'send' | 'receive') =>
    document
      ?.operations()
      .filter((one) => one.action() === action && one.channels().some((its) => its.id() === 'socket'))
      .flatMap((one) => one.messages().map((its) => its.payload()?.properties()?.type?.const()))
  expect(literals('receive')?.toSorted()).toEqual(frames(clientFrameSchema).toSorted())
  expect(literals('send')?.toSorted()).toEqual(frames(serverFrameSchema).toSorted())
  const replies = document?.operations().get('socketRequest')?.reply()?.messages()
  expect(replies?.map((one) => one.title())).toEqual(['SentFrame', 'ResponseFrame', 'UnansweredFrame', 'ErrorFrame'])
})
