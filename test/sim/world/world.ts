import type { Call, Finding, Restore } from '#cli/server/faults/check/history.ts'
import { projectedTypes } from '#functions/stream/project.ts'
import { amountNames, type Pool } from '#shared/domain/budgets/pool.ts'
import type { CloudEvent, Stored } from '#shared/platform/platform.ts'
import { restartUlids, ulid } from '#shared/platform/ulid.ts'
import { createLetterWatch } from '../check/watch-letters.ts'
import { createRunWatch, type RunWatch } from '../check/watch-runs.ts'
import { createSimFeed, type SimFeed } from '../engine/feed.ts'
import { createSimObjects, type SimObjects } from '../engine/objects.ts'
import { createSimQueues, type SimQueues } from '../engine/queues.ts'
import type { Seeded } from '../engine/random.ts'
import { type Commit, createSimTable, type SimTable } from '../engine/table.ts'
import { createTimeline, type Timeline } from '../engine/timeline.ts'
import { createFaultEngine, type FaultActs, type FaultEngine } from './fault-engine.ts'
import type { FaultPlan } from './faults.ts'
import { isOpen } from './is-open.ts'
import { createMachines, type Machines } from './machines.ts'

/** Takes a part of the product out, to see whether the checks notice. */
export type Sabotage = 'cas' | 'sweep' | 'generation'

/** What is the same for all processes: time, storage, and what is written down about them. */
export type World = {
  timeline: Timeline
  random: Seeded
  faults: FaultEngine
  main: SimTable
  volatile: SimTable
  /** Runs of machines, as the host of workflows keeps them. */
  runs: SimTable
  machines: Machines
  queues: SimQueues
  objects: SimObjects
  feed: SimFeed
  publish(events: CloudEvent[]): string[]
  generation(): number
  sabotage?: Sabotage
  /** What was asked and answered, and every change of a task, in the order of their numbers. */
  calls: Call[]
  commits: (Commit & { place: number; generation: number })[]
  restores: Restore[]
  published: CloudEvent[]
  /** The next number. */
  place(): number
  /** How many tasks the agent's own limit lets run at once. */
  limit?: number
  /** Whether people and agents send each other messages. */
  talks: boolean
  /** Whether people start runs of workflows. */
  flows: boolean
  /** What went wrong with letters and runs at the moment when it did. */
  witnessed: Finding[]
  watchRuns: RunWatch
  /** Steps that other steps undo. */
  undoable: Set<string>
  /** What was used of a budget that it did not have. */
  overspent: string[]
  /**
   * Whether tasks may call what is due long after: no host has both indexes that lag and a queue that loses what would make
   * good for it.
   */
  callsFar: boolean
  /** When the last fault was over. */
  calmAt?: number
  /** How many tasks of any kind the agents take at once; one slot of several is not for every lane. */
  slots: number
  /** Tasks, messages and what became of them, by their ids, as long as something is still to be done about them. */
  open: Set<string>
}

/** Each world begins then, whatever was before it: what is made of times is the same again. */
const beginning = Date.UTC(2026, 0, 1)

type Options = {
  random: Seeded
  plan: FaultPlan
  acts: Omit<FaultActs, 'rewind' | 'restore'>
  sabotage?: Sabotage
  onRestore: () => void
}

export const createWorld = ({ random, plan, acts, sabotage, onRestore }: Options): World => {
  restartUlids()
  const timeline = createTimeline(beginning)
  const commits: World['commits'] = []
  const open = new Set<string>()
  const overspent: string[] = []
  const witnessed: Finding[] = []
  let last = 0
  let generation = 1
  const place = (): number => ++last

  const follow = (commit: Commit): void => {
    feed.append(commit)
    if (commit.type === 'pool') count(commit)
    if (commit.type === 'letter') letters.follow(commit)
    watchRuns.follow(commit)
    if (commit.after) note(commit.after)
    if (commit.type === 'task') commits.push({ ...commit, place: place(), generation })
  }
  /** What is to be told of a run keeps the world going until it was told. */
  const followMachine = (commit: Commit): void => {
    watchRuns.followMachine(commit)
    if (commit.type !== 'command' && commit.type !== 'end') return
    if (commit.after) open.add(commit.key.sk)
    else open.delete(commit.key.sk)
  }
  const note = (row: Stored): void => {
    const { id } = row.value as { id: string }
    if (isOpen(row)) open.add(id)
    else open.delete(id)
  }
  const count = ({ key, after }: Commit): void => {
    const { bounds, used } = (after?.value ?? { bounds: {}, used: {} }) as Pool
    for (const name of amountNames)
      if ((used[name] ?? 0) > (bounds[name] ?? Infinity) + 1e-6)
        overspent.push(`${key.pk} has used ${used[name]} of ${bounds[name]} ${name}`)
  }
  const feed = createSimFeed({ random: random.fork('feed'), types: projectedTypes })
  const mints = random.fork('revs')
  const mint = (): string => ulid(timeline.now(), mints.bytes)
  const lags = random.fork('lag')
  const lagging = lags.chance(0.5)
  const lag = (): number => (lagging && lags.chance(0.3) ? lags.between(1, 3000) : 0)
  const ignoresRevs = sabotage === 'cas'
  const main = createSimTable({ timeline, mint, lag, onCommit: follow, ignoresRevs })
  const letters = createLetterWatch(main, witnessed)
  const machines = createMachines(place)
  const watchRuns = createRunWatch({ place, findings: witnessed })
  const runs = createSimTable({ timeline, mint, ignoresRevs, onCommit: followMachine })
  const volatile = createSimTable({ timeline, mint, ignoresRevs })
  const published: CloudEvent[] = []
  const restores: Restore[] = []
  const backups: {
    place: number
    main: ReturnType<SimTable['backup']>
    runs: ReturnType<SimTable['backup']>
    feed: ReturnType<SimFeed['backup']>
  }[] = []

  const backUp = (): void => {
    backups.push({ place: place(), main: main.backup(), runs: runs.backup(), feed: feed.backup() })
  }
  const restore = (): void => {
    const backup = backups.at(-1 - random.below(Math.min(2, backups.length)))
    if (backup === undefined) return
    main.restore(backup.main)
    runs.restore(backup.runs)
    watchRuns.restored()
    feed.restore(backup.feed)
    if (sabotage !== 'generation') generation++
    restores.push({ backup: backup.place, at: place() })
    open.clear()
    for (const { type, sk } of runs.rows()) if (type === 'command' || type === 'end') open.add(sk)
    for (const row of main.rows()) if (isOpen(row)) open.add((row.value as { id: string }).id)
    onRestore()
  }
  if (plan.some(({ fault }) => fault === 'F20')) {
    const every = random.between(10_000, 60_000)
    const repeat = (): void => {
      backUp()
      if (backups.length < 20) timeline.at(timeline.now() + every, repeat)
    }
    timeline.at(timeline.now() + every, repeat)
  }
  const faults = createFaultEngine({
    plan,
    random: random.fork('faults'),
    now: timeline.now,
    acts: { ...acts, rewind: (count) => feed.rewind(count), restore },
  })
  return {
    timeline,
    random,
    faults,
    main,
    volatile,
    runs,
    machines,
    feed,
    queues: createSimQueues({ timeline, random: random.fork('queues'), transit: () => faults.transit() }),
    objects: createSimObjects(),
    publish(events) {
      published.push(...events)
      return []
    },
    generation: () => generation,
    sabotage,
    calls: [],
    commits,
    restores,
    published,
    place,
    open,
    talks: random.fork('talk').chance(0.5),
    flows: random.fork('flow').chance(0.5),
    witnessed,
    watchRuns,
    undoable: new Set(),
    overspent,
    slots: 0,
    callsFar: !lagging || !plan.some(({ fault }) => fault === 'F8' || fault === 'F15'),
  }
}
