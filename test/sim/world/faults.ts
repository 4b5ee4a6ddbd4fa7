import type { Seeded } from '../engine/random.ts'

/** The rows of the fault matrix that a seed can draw from, by their numbers there. */
export const faultNames = {
  F1: 'a message arrives more than once',
  F2: 'messages and changes arrive late and out of order',
  F3: 'an answer is lost after its work was done',
  F4: 'an agent is killed',
  F5: 'an agent stands still and goes on later',
  F6: 'an agent and the platform do not reach each other',
  F7: 'a process of the platform dies between two calls of a port',
  F8: 'a message is lost',
  F9: 'a port refuses a call: throttled or unavailable',
  F12: 'the change feed delivers once more',
  F13: 'a task ends whatever process runs it',
  F14: 'clocks differ',
  F15: 'the whole platform restarts and its queues, which lived in memory, are empty',
  F18: 'an agent says twice that it is done',
  F20: 'the records are restored from an older backup',
  F21: 'an agent is slow',
} as const
export type FaultName = keyof typeof faultNames

/**
 * One fault: from call number `at` of the ports (counted over the whole world) for `calls` of them, or for `seconds`;
 * `after`: once the call has had its effect.
 */
export type Fault = {
  fault: FaultName
  at: number
  calls?: number
  seconds?: number
  probability?: number
  after?: boolean
  /** Which agent, client or process, by its number. */
  who?: number
}
export type FaultPlan = Fault[]

type Draw = (random: Seeded) => Omit<Fault, 'fault' | 'at'>

/** Faults that last for some calls, and hit each of them with a probability. */
const window =
  (calls: number, probability: number): Draw =>
  (random) => ({ calls: 1 + random.below(calls), probability: Math.ceil(random.number() * probability * 100) / 100 })

const outage =
  (least: number, most: number): Draw =>
  (random) => ({ who: random.below(3), seconds: Math.round(random.between(least, most)) })

const rows: Record<FaultName, { weight: number; draw: Draw }> = {
  F1: { weight: 3, draw: window(400, 0.6) },
  F2: { weight: 3, draw: window(400, 0.6) },
  F3: { weight: 5, draw: (random) => ({ ...window(120, 0.5)(random), after: random.chance(0.5) }) },
  F4: { weight: 4, draw: (random) => ({ who: random.below(3) }) },
  F5: { weight: 5, draw: outage(5, 120) },
  F6: { weight: 4, draw: (random) => ({ ...outage(5, 90)(random), after: random.chance(0.5) }) },
  F7: { weight: 6, draw: (random) => ({ after: random.chance(0.5) }) },
  F8: { weight: 4, draw: window(400, 0.7) },
  F9: { weight: 4, draw: window(80, 0.5) },
  F12: { weight: 3, draw: (random) => ({ calls: 1 + random.below(40) }) },
  F13: { weight: 1, draw: () => ({}) },
  F14: { weight: 2, draw: (random) => ({ who: random.below(6), seconds: Math.round(random.between(-20, 20)) }) },
  F15: { weight: 1, draw: () => ({}) },
  F18: { weight: 3, draw: window(300, 0.8) },
  F20: { weight: 1, draw: () => ({}) },
  F21: { weight: 2, draw: outage(20, 120) },
}

const draw = (random: Seeded): FaultName => {
  const names = Object.keys(rows) as FaultName[]
  let ticket = random.below(names.reduce((sum, name) => sum + rows[name].weight, 0))
  for (const name of names) {
    ticket -= rows[name].weight
    if (ticket < 0) return name
  }
  return 'F1'
}

/** What goes wrong in a world of about so many calls of its ports. */
export const drawPlan = (random: Seeded, calls: number): FaultPlan => {
  const plan: FaultPlan = []
  for (let count = 3 + random.below(12); count > 0; count--) {
    const fault = draw(random)
    plan.push({ fault, at: random.below(calls), ...rows[fault].draw(random) })
  }
  return plan.sort((a, b) => a.at - b.at)
}

const words = ({ calls, seconds, probability, after, who }: Fault): string =>
  [
    who === undefined ? '' : `#${who}`,
    calls === undefined ? '' : `for ${calls} calls`,
    probability === undefined ? '' : `with probability ${probability}`,
    seconds === undefined ? '' : `by ${seconds} s`,
    after === undefined ? '' : after ? 'after the effect' : 'before the effect',
  ]
    .filter((word) => word !== '')
    .join(' ')

export const printPlan = (plan: FaultPlan): string[] =>
  plan.map((fault) => `${fault.fault.padEnd(3)} at call ${fault.at}: ${faultNames[fault.fault]} ${words(fault)}`.trim())
