import { expect, it } from 'vitest'
import { takeCommands } from '#functions/workflow-steps/take-commands.ts'

it('hands commands over as they were sent, and gives back those alone that were not taken', async () => {
  const [taken, logged]: unknown[][] = [[], []]
  const telemetry = {
    log: (...line: unknown[]) => void logged?.push(line),
    metric: () => undefined,
    span: <T>(_: string, __: object, work: () => Promise<T>) => work(),
    flush: async () => undefined,
  }
  const consumer = {
    async onCommand(body: unknown) {
      if (body === 'a text') throw new Error('not now')
      taken?.push(body)
    },
    onEnd: async () => undefined,
  }
  expect(await takeCommands({ telemetry }, consumer, ['{"token":"t"}', 'a text', '1'])).toEqual(['a text'])
  expect(taken).toEqual([{ token: 't' }, 1])
  expect(logged).toHaveLength(1)
})
