import { expect, it } from 'vitest'
import { boundedBody } from '#cli/server/bounded-body.ts'

const aBody = (...sizes: number[]) => ReadableStream.from(sizes.map((size) => new Uint8Array(size)))

it('a body up to the bound comes through whole', async () => {
  expect(await new Response(boundedBody(aBody(4, 6), 10)).bytes()).toHaveLength(10)
})

it('a body beyond the bound fails at the first byte too many, and its sender is told to stop', async () => {
  let isCancelled = false
  const endless = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new Uint8Array(4)),
    cancel() {
      isCancelled = true
    },
  })
  await expect(new Response(boundedBody(endless, 10)).bytes()).rejects.toMatchObject({ code: 'PAYLOAD_TOO_LARGE' })
  expect(isCancelled).toBe(true)
})
