import { type FaultPlan, type FaultRule, placesOf } from './plan.ts'

/** Says, call by call, which rules of a plan hit. */
export type Dice = {
  /** The rules that hit this call. */
  roll(place: string): FaultRule[]
}

/** https://gist.github.com/tommyettinger/46a874533244883189143505d203312c (mulberry32) */
const seeded = (seed: number) => {
  let state = seed | 0
  return (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

type Counted = { rule: FaultRule; calls: number; hits: number; random: () => number }

const isHit = ({ rule, calls, random }: Counted): boolean => {
  if (rule.nth !== undefined) return calls === rule.nth
  if (rule.every !== undefined) return calls % rule.every === 0
  return random() < (rule.probability ?? 0)
}

/** Each rule counts the calls that it is about by itself, over the life of the process. */
export const createDice = ({ seed, rules }: FaultPlan): Dice => {
  const byPlace = new Map<string, Counted[]>()
  for (const [at, rule] of rules.entries()) {
    const counted: Counted = { rule, calls: 0, hits: 0, random: seeded(seed * 1000 + at) }
    for (const place of placesOf(rule)) byPlace.set(place, [...(byPlace.get(place) ?? []), counted])
  }
  return {
    roll: (place) =>
      (byPlace.get(place) ?? [])
        .filter((counted) => {
          counted.calls++
          const hit = isHit(counted) && counted.hits < (counted.rule.times ?? Infinity)
          if (hit) counted.hits++
          return hit
        })
        .map(({ rule }) => rule),
  }
}
