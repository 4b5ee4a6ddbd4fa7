import type { RunEvent } from '../../platform.ts'
import type { Json } from './asl.ts'
import {
  type Changes,
  childPath,
  type Execution,
  type Frame,
  type Head,
  noTally,
  parentPath,
  type StepCommand,
  type Tally,
  tallied,
} from './execution.ts'

type NewEvent = Omit<RunEvent, 'id' | 'at' | 'previous'>

/** A run as it will be: what was changed lies over what is stored, which stays as it is. */
export const createDraft = (execution: Execution, now: number) => {
  const changes: Changes = {
    frames: new Map(),
    tallies: new Map(),
    events: [],
    newest: execution.newest,
    commands: [],
    unfinished: [],
  }
  const find = (path: string): Frame | undefined =>
    changes.frames.has(path) ? changes.frames.get(path) : execution.frames.get(path)
  const tallyOf = (path: string): Tally =>
    (changes.tallies.has(path) ? changes.tallies.get(path) : execution.tallies.get(path)) ?? noTally

  const note = (event: NewEvent, previous: number): number => {
    const id = ++changes.newest
    changes.events.push({ id, at: now, previous, ...event })
    return id
  }
  const put = (frame: Frame): Frame => {
    const parent = parentPath(frame.path)
    const before = find(frame.path)
    if (parent !== undefined && before?.phase.kind !== frame.phase.kind)
      changes.tallies.set(parent, tallied(tallyOf(parent), before, frame))
    changes.frames.set(frame.path, frame)
    return frame
  }
  const childrenOf = (path: string): Frame[] =>
    Array.from({ length: tallyOf(path).created }, (_, index) => find(childPath(path, index))).filter(
      (frame) => frame !== undefined,
    )
  const removeChildren = (path: string): void => {
    for (const { path: child } of childrenOf(path)) {
      removeChildren(child)
      changes.frames.set(child, undefined)
    }
    if (tallyOf(path).created > 0) changes.tallies.set(path, undefined)
  }

  return {
    now,
    changes,
    input: execution.input,
    head: (): Head => changes.head ?? execution.head,
    setHead(head: Head): void {
      changes.head = head
    },
    setOutput(output: Json): void {
      changes.output = output
    },
    find,
    tallyOf,
    childrenOf,
    put,
    removeChildren,
    /** Adds to the history what happened in a branch. */
    record: (frame: Frame, event: NewEvent): Frame => ({ ...frame, event: note(event, frame.event) }),
    note,
    send: (command: StepCommand): void => void changes.commands.push(command),
  }
}

export type Draft = ReturnType<typeof createDraft>
