import type { Random } from '#shared/platform/platform.ts'

export type Seeded = Random & {
  /** A whole number, 0 ≤ n < `below`. */
  below(below: number): number
  between(low: number, high: number): number
  chance(probability: number): boolean
  pick<T>(from: readonly T[]): T
  /** Another stream, that takes nothing from this one however much is asked of it. */
  fork(name: string): Seeded
}

const hash = (text: string): number => {
  let state = 2_166_136_261
  for (let at = 0; at < text.length; at++) state = Math.imul(state ^ text.charCodeAt(at), 16_777_619)
  return state >>> 0
}

/** The same numbers for the same seed, everywhere. https://pracrand.sourceforge.net (sfc32) */
export const createSeeded = (seed: string): Seeded => {
  let [a, b, c, counter] = [hash(`${seed} a`), hash(`${seed} b`), hash(`${seed} c`), 1]
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + sum) | 0
    return sum >>> 0
  }
  for (let at = 0; at < 12; at++) next()
  const number = (): number => next() / 4_294_967_296
  return {
    number,
    bytes(length) {
      const bytes = new Uint8Array(length)
      for (let at = 0; at < length; at++) bytes[at] = next() & 255
      return bytes
    },
    below: (below) => Math.floor(number() * below),
    between: (low, high) => low + number() * (high - low),
    chance: (probability) => number() < probability,
    pick: <T>(from: readonly T[]) => from[Math.floor(number() * from.length)] as T,
    fork: (name) => createSeeded(`${seed}/${name}`),
  }
}
