import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { pacedStream } from '#functions/api/paced-stream.ts'
import { eventually } from '#test/support/eventually.ts'

const aSource = (pieces: number) => {
  const state = { made: 0, ended: false }
  async function* source(): AsyncGenerator<Uint8Array> {
    try {
      while (state.made < pieces) yield Uint8Array.of(++state.made)
    } finally {
      state.ended = true
    }
  }
  return { state, source: source() }
}
const readAll = async (stream: ReadableStream<Uint8Array>): Promise<number[]> => {
  const seen: number[] = []
  for await (const piece of stream) seen.push(...piece)
  return seen
}

describe('a paced stream', () => {
  it('gives everything to whoever takes it, however slowly, and makes one piece ahead', async () => {
    const { state, source } = aSource(5)
    const reader = pacedStream(source, { stallMs: 10_000 }).getReader()
    await sleep(20)
    expect(state.made).toBe(1)
    for (let piece = 1; piece <= 5; piece++) {
      expect((await reader.read()).value).toEqual(Uint8Array.of(piece))
      await sleep(5)
      expect(state.made).toBeLessThanOrEqual(piece + 1)
    }
    expect((await reader.read()).done).toBe(true)
  })

  it('ends a reader that takes nothing', async () => {
    const { state, source } = aSource(5)
    const stream = pacedStream(source, { stallMs: 20 })
    await eventually(() => expect(state.ended).toBe(true))
    await expect(readAll(stream)).rejects.toThrow('took nothing')
    expect(state.made).toBe(1)
  })

  it('leaves a reader alone for whom there is nothing to take', async () => {
    async function* rarely(): AsyncGenerator<Uint8Array> {
      yield Uint8Array.of(1)
      await sleep(400)
      yield Uint8Array.of(2)
    }
    expect(await readAll(pacedStream(rarely(), { stallMs: 250 }))).toEqual([1, 2])
  })

  it('ends its source when its reader leaves', async () => {
    const { state, source } = aSource(5)
    const reader = pacedStream(source).getReader()
    await reader.read()
    await reader.cancel()
    expect(state.ended).toBe(true)
  })
})
