import type { Transit } from '../engine/queues.ts'
import type { Seeded } from '../engine/random.ts'
import type { Fault, FaultName, FaultPlan } from './faults.ts'

/** What a fault does that needs more than a refused call. */
export type FaultActs = {
  kill(agent: number): void
  pause(agent: number, ms: number): void
  rewind(count: number): void
  restore(): void
  restart(): void
}

type Moment = 'before' | 'after'
type Verdict = { dies?: Moment; fails?: Moment }
type Running = { fault: Fault; until: number }

/** The processes whose clocks a plan can put wrong, by their numbers. */
const skewed = ['api-1', 'api-2', 'projector', 'sweep-1', 'sweep-2', 'due']
const nothing: Verdict = {}

type Options = { plan: FaultPlan; random: Seeded; now: () => number; acts: FaultActs }

/** Carries a plan out: counts the calls of ports, and says of each what goes wrong with it. */
export const createFaultEngine = ({ plan, random, now, acts }: Options) => {
  const fired: Fault[] = []
  const skews = new Map<string, number>()
  const outages: Running[] = []
  let windows: Running[] = []
  let next = 0
  let count = 0
  let calm = true
  let dying: Moment | undefined
  let poisons = 0

  const instant: Partial<Record<FaultName, (fault: Fault) => void>> = {
    F4: ({ who = 0 }) => acts.kill(who),
    F5: ({ who = 0, seconds = 0 }) => acts.pause(who, seconds * 1000),
    F7: ({ after }) => {
      dying = after ? 'after' : 'before'
    },
    F12: ({ calls = 0 }) => acts.rewind(calls),
    F13: () => {
      poisons++
    },
    F14: ({ who = 0, seconds = 0 }) => skews.set(skewed[who] ?? '', seconds * 1000),
    F15: () => acts.restart(),
    F20: () => acts.restore(),
  }
  const begin = (fault: Fault): void => {
    fired.push(fault)
    instant[fault.fault]?.(fault)
    if (fault.seconds !== undefined) outages.push({ fault, until: now() + fault.seconds * 1000 })
    if (fault.probability !== undefined) windows.push({ fault, until: count + (fault.calls ?? 0) })
  }
  /** Whether a window of this fault is open, and hits. */
  const hits = (name: FaultName, fits: (fault: Fault) => boolean = () => true): boolean => {
    if (calm || windows.length === 0) return false
    windows = windows.filter(({ until }) => until >= count)
    return windows.some(({ fault }) => fault.fault === name && fits(fault) && random.chance(fault.probability ?? 0))
  }
  const isOut = (name: FaultName, who: number, fits: (fault: Fault) => boolean = () => true): boolean =>
    !calm &&
    outages.some(({ fault, until }) => fault.fault === name && fault.who === who && until > now() && fits(fault))

  return {
    fired,
    calls: (): number => count,
    begin: (): void => {
      calm = false
      count = 0
    },
    /** The last fault is over. */
    end(): void {
      calm = true
      dying = undefined
      skews.clear()
    },
    nextCall(): Verdict {
      if (calm) return nothing
      count++
      for (let fault = plan[next]; fault && fault.at <= count; fault = plan[next]) {
        next++
        begin(fault)
      }
      if (dying) {
        const dies = dying
        dying = undefined
        return { dies }
      }
      if (windows.length === 0) return nothing
      if (hits('F9')) return { fails: 'before' }
      return hits('F3', ({ after }) => after === true) ? { fails: 'after' } : nothing
    },
    transit(): Transit {
      if (hits('F8')) return { copies: 0, lateMs: 0 }
      return {
        copies: hits('F1') ? 2 + random.below(3) : 1,
        lateMs: hits('F2') ? Math.round(random.between(1, 30_000)) : 0,
      }
    },
    losesAnswer: (): boolean => hits('F3', ({ after }) => after === false),
    /** Whether what an agent sends, or what it is answered (`after`), is lost. */
    isCutOff: (agent: number, after: boolean): boolean => isOut('F6', agent, (fault) => fault.after === after),
    slowness: (agent: number): number => (isOut('F21', agent) ? 10 : 1),
    doubles: (): boolean => hits('F18'),
    skewOf: (name: string): number => skews.get(name) ?? 0,
    takesPoison(): boolean {
      if (calm || poisons === 0) return false
      poisons--
      return true
    },
  }
}
export type FaultEngine = ReturnType<typeof createFaultEngine>
