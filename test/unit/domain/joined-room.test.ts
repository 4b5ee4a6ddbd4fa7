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
    { of: 60, bytes: 10_000 },
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

  it('is itself where nothing is joined, where it has no more than its part, and while others leave room', async () => {
    const { ports, kept } = somePorts()
    const [large, small] = [textOf(29_000), textOf(900)]
    expect(await fitting(ports, stepOf(), textOf(400_000))).toEqual(textOf(400_000))
    expect(await fitting(ports, stepOf({ of: 100, block: 'all' }), small)).toBe(small)
    const results = []
    for (let at = 0; at < 5; at++) results.push(await fitting(ports, stepOf({ of: 100, block: 'all' }), large))
    expect(results.map((one) => one === large)).toEqual([true, true, true, false, false])
    expect(await fitting(ports, stepOf({ of: 100, block: 'another' }), large)).toBe(large)
    expect([...kept.values()]).toEqual([JSON.stringify(large)])
  })

  it('is else the reference to it, once for equal ones, with the small fields that fit', async () => {
    const { ports, kept } = somePorts()
    const step = stepOf({ of: 100 })
    const [one, same] = [
      await fitting(ports, step, textOf(3000, { at: 1 })),
      await fitting(ports, step, textOf(3000, { at: 1 })),
    ]
    const [$ref] = kept.keys()
    expect([one, same]).toEqual([
      { at: 1, $ref },
      { at: 1, $ref },
    ])
    const outline = { at: 2, more: 'y'.repeat(2500), $ref }
    expect(await fitting(ports, step, outline)).toEqual({ at: 2, $ref })
    expect(await fitting(ports, step, 'z'.repeat(3000))).toEqual({ $ref: expect.stringMatching(/^obj_/) })
    expect(kept.size).toBe(2)
  })
})
