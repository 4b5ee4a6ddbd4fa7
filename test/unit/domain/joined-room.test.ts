import { describe, expect, it } from 'vitest'
import type { JoinedWith, RunStep } from '#shared/domain/workflows/run.ts'
import { fitting } from '#shared/domain/workflows/steps/joined-room.ts'
import type { Platform } from '#shared/platform/platform.ts'
import { atOnce, scheduledPorts } from '#test/model/scheduled-ports.ts'

const somePorts = () => {
  const kept = new Map<string, string>()
  const put = async ({ id }: { id: string }, body: Uint8Array) => void kept.set(id, Buffer.from(body).toString())
  const { ports } = scheduledPorts(atOnce)
  return { ports: { ...ports, objects: { put } } as unknown as Platform, kept }
}
const stepOf = (joined?: JoinedWith): RunStep => ({
  ...{ id: 's', tenant: 'default', run: 'run_1', name: 'one', kind: 'task', state: 'RUNNING', startedAt: 1 },
  joined,
})
const bytesOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value))
const textOf = (bytes: number, more: object = {}) => ({ ...more, text: 'x'.repeat(bytes) })

describe('what a step answers where a block joins results', () => {
  it.each([
    { of: 60, block: 'all', bytes: 10_000 },
    { of: 1000, block: 'all', bytes: 5000 },
    { of: 5000, block: 'all', bytes: 300 },
    { of: 8, block: 'all', bytes: 32_000 },
    { of: 3.5, block: 'all', bytes: 500_000 },
  ])('is never more than a state can have: $of with $bytes bytes, of $block', async ({ bytes, ...joined }) => {
    const { ports } = somePorts()
    const fields = Object.fromEntries(Array.from({ length: 100 }, (_, at) => [`f${at}`, at]))
    const results = await Promise.all(
      Array.from({ length: Math.ceil(joined.of) }, (_, at) =>
        fitting(ports, stepOf(joined), textOf(bytes, { at, ...fields })),
      ),
    )
    expect(bytesOf(results)).toBeLessThan(256 * 1024)
  })

  it('is itself where nothing is joined, where it has no more than its part, and while there is room', async () => {
    const { ports, kept } = somePorts()
    const [large, small] = [textOf(29_000), textOf(200)]
    expect(await fitting(ports, stepOf(), textOf(400_000))).toEqual(textOf(400_000))
    const all = []
    for (let at = 0; at < 100; at++)
      all.push(await fitting(ports, stepOf({ of: 100, block: 'all' }), at < 8 ? large : small))
    expect(all.map((one) => one === large || one === small).indexOf(false)).toBe(7)
    expect(all.slice(8).every((one) => one === small)).toBe(true)
    expect(await fitting(ports, stepOf({ of: 100, block: 'another' }), large)).toBe(large)
    expect([...kept.values()]).toEqual([JSON.stringify(large)])
  })

  it.each([
    { of: 25, bytes: [9500] },
    { of: 60, bytes: [3000] },
    { of: 100, bytes: [29_000, 29_000, 29_000, 29_000, 29_000, ...Array.from({ length: 95 }, () => 400)] },
  ])('is itself as long as all have room: $of', async ({ of, bytes }) => {
    const { ports, kept } = somePorts()
    for (let at = 0; at < of; at++)
      await fitting(ports, stepOf({ of, block: 'all' }), textOf(bytes[at % bytes.length] ?? 0))
    expect(kept.size).toBe(0)
  })

  it('is else the reference to it, once for equal ones, with the small fields that fit', async () => {
    const { ports, kept } = somePorts()
    const step = stepOf({ of: 3000, block: 'all' })
    const one = await fitting(ports, stepOf({ of: 300, block: 'all' }), textOf(300_000, { at: 1 }))
    const same = await fitting(ports, stepOf({ of: 300, block: 'all' }), textOf(300_000, { at: 1 }))
    const [$ref] = kept.keys()
    expect([one, same]).toEqual([
      { at: 1, $ref },
      { at: 1, $ref },
    ])
    expect(await fitting(ports, step, textOf(300_000, { at: 1 }))).toEqual({ $ref })
    expect(kept.size).toBe(1)
  })

  it('is a reference to the whole, and to nothing that is said to be it', async () => {
    const { ports, kept } = somePorts()
    const $ref = 'obj_01ARZ3NDEKTSV4RRFFQ69G5FAV'
    const own = textOf(300_000, { $ref })
    const told = (await fitting(ports, stepOf({ of: 9, block: 'all' }), own)) as { $ref: string }
    expect(told.$ref).not.toBe($ref)
    expect(kept.get(told.$ref)).toBe(JSON.stringify(own))
    expect(await fitting(ports, stepOf({ of: 9, block: 'all' }), own, $ref)).toEqual({ $ref })
    expect(kept.size).toBe(1)
  })
})
