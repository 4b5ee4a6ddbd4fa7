import { setImmediate } from 'node:timers/promises'
import { afterAll, describe, expect, it } from 'vitest'
import { createJsonataProcess } from '#shared/platform/embedded/workflows/jsonata-process.ts'

const apart = createJsonataProcess()
afterAll(() => apart.close())

/** Nothing else of this process runs meanwhile. */
const keepBusy = (ms: number): void => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)

describe('the process of expressions', () => {
  it('answers none with the result of another whose answer came as its time was over', async () => {
    expect(await apart.evaluate("'begun'", {}, 'acme')).toEqual({ json: '"begun"' })
    await setImmediate() // what follows is in front of the timers, and these in front of what other threads have sent
    const late = apart.evaluate("'of a'", {}, 'acme')
    const next = apart.evaluate("'of b'", {}, 'acme')
    keepBusy(2200)
    expect(await next).toEqual({ json: '"of b"' })
    expect([{ json: '"of a"' }, { reason: expect.stringContaining('took longer') }]).toContainEqual(await late)
    expect(await apart.evaluate("'of c'", {}, 'acme')).toEqual({ json: '"of c"' })
  })

  it('lets tenants take turns, however many expressions one of them has', async () => {
    const order: string[] = []
    const evaluate = async (tenant: string, n: number): Promise<void> => {
      await apart.evaluate(String(n), {}, tenant)
      order.push(`${tenant} ${n}`)
    }
    const many = [0, 1, 2, 3, 4].map((n) => evaluate('many', n))
    await Promise.all([...many, evaluate('few', 0), evaluate('few', 1)])
    expect(order).toEqual(['many 0', 'many 1', 'few 0', 'many 2', 'few 1', 'many 3', 'many 4'])
  })
})
