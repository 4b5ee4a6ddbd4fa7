import { LRUCache } from 'lru-cache'
import type { Clock, Random, RunRef } from '../../platform.ts'
import { PlatformError } from '../../platform-error.ts'
import { advance, type Happening, newExecution } from './advance.ts'
import type { Json, Machine } from './asl.ts'
import { apply, type Changes, dueAtOf, type Execution, type Head } from './execution.ts'
import type { Expressions } from './expressions.ts'
import { headDueAt, type Letter, lettersOf, runPk, writesOf } from './rows.ts'
import { loadRun, type RunTable } from './run-store.ts'
import { mintToken } from './tokens.ts'

/** `undefined`: there is no such run. */
type Answer = boolean | undefined
type Entry = {
  happening: Happening
  create?: { head: Head; input: Json }
  resolve: (answer: Answer) => void
  reject: (error: unknown) => void
}
type Actor = { ref: RunRef; entries: Entry[] }

export type RunActorsOptions = {
  table: RunTable
  clock: Clock
  random: Random
  evaluateFor: Expressions['evaluateFor']
  machineOf: (run: RunRef & { version: string }) => Promise<Machine>
  /** What is written is to be told; what comes due then is to be looked at. */
  onWritten: (written: { ref: RunRef; letters: Letter[]; dueAt: number }) => void
}

/** So many happenings of one run share a write at most. */
const mostTogether = 100
/** Runs that are kept in memory, by their frames; the others are read when something happens to them. */
const kept = { max: 5000, maxSize: 100_000 }

const nothing = (): void => undefined

/** One run after the other in its own time: what happens to a run is advanced, written, and only then answered. */
export const createRunActors = (options: RunActorsOptions) => {
  const { table, clock, random, evaluateFor, machineOf, onWritten } = options
  const actors = new Map<string, Actor>()
  const runs = new LRUCache<string, Execution>({ ...kept, sizeCalculation: ({ frames }) => frames.size + 1 })
  const working = new Set<Promise<void>>()
  let closed = false

  const find = async (ref: RunRef): Promise<Execution | undefined> => runs.get(runPk(ref)) ?? loadRun(table, ref)
  /** One that is kept already, and has as many frames as then, stays where it is. */
  const keep = (ref: RunRef, execution: Execution, frames: number): void => {
    const id = runPk(ref)
    if (execution.head.status !== 'RUNNING') runs.delete(id)
    else if (execution.frames.size !== frames || runs.peek(id) !== execution) runs.set(id, execution)
  }

  const write = async (ref: RunRef, changes: Changes): Promise<void> => {
    const letters = lettersOf(ref, changes, clock.now())
    const writes = writesOf(ref, changes, letters)
    if (writes.length === 0) return
    const outcome = await table.writeTogether(writes)
    if (!outcome.ok) throw new PlatformError('UNAVAILABLE', 'the run is written by somebody else')
    onWritten({ ref, letters, dueAt: firstDue(changes) })
  }

  const advanceAll = async (ref: RunRef, execution: Execution, entries: Entry[], input?: Json): Promise<boolean[]> => {
    const { changes, answers } = await advance(
      execution,
      entries.map(({ happening }) => happening),
      {
        now: clock.now(),
        machine: await machineOf(execution.head),
        evaluate: evaluateFor(ref.tenant),
        random: () => random.number(),
        mintToken: (path) => mintToken(ref, path, random),
      },
    )
    const begun = input === undefined ? {} : { input, head: changes.head ?? execution.head }
    await write(ref, { ...changes, ...begun })
    const frames = execution.frames.size
    apply(execution, changes)
    keep(ref, execution, frames)
    for (const path of changes.unfinished) void post(ref, { kind: 'due', path }).catch(nothing) // the due index knows it too
    return answers
  }

  /** What is first asked to be created is created; what is asked so again is there. */
  const handle = async ({ ref }: Actor, entries: Entry[]): Promise<void> => {
    const known = await find(ref)
    const creating = known === undefined ? entries.find(({ create }) => create) : undefined
    const execution = known ?? (creating?.create && newExecution(creating.create.head, creating.create.input))
    const others = entries.filter((entry) => entry.create === undefined)
    if (execution === undefined) {
      for (const { resolve } of others) resolve(undefined)
      return
    }
    const taken = creating ? [creating, ...others] : others
    const answers = taken.length === 0 ? [] : await advanceAll(ref, execution, taken, creating?.create?.input)
    for (const entry of entries) entry.resolve(answers[taken.indexOf(entry)] ?? false)
  }

  const work = async (actor: Actor): Promise<void> => {
    while (actor.entries.length > 0) {
      const entries = actor.entries.splice(0, mostTogether)
      try {
        await handle(actor, entries)
      } catch (error) {
        runs.delete(runPk(actor.ref)) // what is stored counts
        for (const { reject } of entries) reject(error)
      }
    }
    actors.delete(runPk(actor.ref))
  }

  const post = (ref: RunRef, happening: Happening, create?: Entry['create']): Promise<Answer> =>
    new Promise((resolve, reject) => {
      if (closed) return reject(new PlatformError('UNAVAILABLE', 'the platform is closed'))
      const entry = { happening, create, resolve, reject }
      const actor = actors.get(runPk(ref))
      if (actor) return void actor.entries.push(entry)
      const fresh: Actor = { ref, entries: [entry] }
      actors.set(runPk(ref), fresh)
      const running = work(fresh).finally(() => working.delete(running))
      working.add(running)
    })

  return {
    post,
    /** Forgets what is in memory of a run. */
    drop: (ref: RunRef): void => void runs.delete(runPk(ref)),
    async close(): Promise<void> {
      closed = true
      await Promise.all(working)
    },
  }
}

export type RunActors = ReturnType<typeof createRunActors>

const firstDue = ({ head, frames }: Changes): number => {
  let first = (head && headDueAt(head)) ?? Number.POSITIVE_INFINITY
  for (const frame of frames.values()) first = Math.min(first, (frame && dueAtOf(frame)) ?? first)
  return first
}
