import { isTerminal } from './check-task.ts'
import type { Call, FinalBatch, FinalTask, Finding } from './history.ts'

type Options = {
  /** Of `createBatch`, that were accepted and not taken back. */
  accepted: Call[]
  batches: FinalBatch[]
  tasks: FinalTask[]
  /** The id of the task that a row becomes. */
  rowIdOf: (batch: string, row: number) => string
}
type Of = Pick<Options, 'rowIdOf'> & { ids: Set<string>; own: FinalTask[] }

/** Where the rows begin and end that must have become tasks by now: an ended batch owes all, one that was stopped what it submitted. */
const owed = ({ state, stopped, submitted, rows }: FinalBatch, { own }: Of): [from: number, to: number] => {
  if (stopped) return [0, submitted]
  if (state !== 'RUNNING') return [0, rows]
  const rests = own.every(({ status }) => isTerminal(status))
  return rests ? [submitted, rows] : [0, 0]
}

const lostRows = (batch: FinalBatch, of: Of): Finding[] => {
  const { id, refused } = batch
  const [from, to] = owed(batch, of)
  const found: Finding[] = []
  for (let row = from; row < to; row++) {
    const task = of.rowIdOf(id, row)
    if (!of.ids.has(task) && !refused.has(row))
      found.push({ column: 'lost', task, message: `line ${row + 1} of ${id} was accepted and never became a task` })
  }
  return found
}

const stuck = ({ id, state }: FinalBatch, { own }: Of): Finding[] =>
  state !== 'RUNNING' || own.some(({ status }) => !isTerminal(status))
    ? []
    : [{ column: 'stuck', message: `${id} is still RUNNING, and none of its tasks is` }]

/** What is wrong with batches: each row of one that was accepted is a task, or a line of its report. */
export const checkBatches = ({ accepted, batches, tasks, rowIdOf }: Options): Finding[] => {
  const ids = new Set(tasks.map(({ id }) => id))
  const byBatch = Map.groupBy(
    tasks.filter(({ batch }) => batch !== undefined),
    ({ batch }) => batch,
  )
  const there = new Set(batches.map(({ id }) => id))
  const promised = new Set(accepted.flatMap(({ answer }) => answer?.batch ?? []))
  const gone = [...promised].filter((id) => !there.has(id))
  return [
    ...gone.map((id): Finding => ({ column: 'lost', message: `${id} was accepted and is not there` })),
    ...batches.flatMap((batch) => {
      const of = { ids, rowIdOf, own: byBatch.get(batch.id) ?? [] }
      return [...(promised.has(batch.id) ? lostRows(batch, of) : []), ...stuck(batch, of)]
    }),
  ]
}
