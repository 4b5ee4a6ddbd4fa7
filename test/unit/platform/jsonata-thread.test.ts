import { setImmediate } from 'node:timers/promises'
import { afterAll, describe, expect, it } from 'vitest'
import { createJsonataThread } from '#shared/platform/embedded/workflows/jsonata-thread.ts'

const thread = createJsonataThread()
afterAll(() => thread.close())

/** Nothing else of this thread runs meanwhile. */
const keepBusy = (ms: number): void => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)

describe('the thread of expressions', () => {
  it('answers none with the result of another whose answer came as its time was over', async () => {
    expect(await thread.evaluate("'begun'", {})).toEqual({ json: '"begun"' })
    await setImmediate() // what follows is in front of the timers, and these in front of what other threads have sent
    const late = thread.evaluate("'of a'", {})
    const next = thread.evaluate("'of b'", {})
    keepBusy(2200)
    expect(await next).toEqual({ json: '"of b"' })
    expect([{ json: '"of a"' }, { reason: expect.stringContaining('took longer') }]).toContainEqual(await late)
    expect(await thread.evaluate("'of c'", {})).toEqual({ json: '"of c"' })
  })
})
