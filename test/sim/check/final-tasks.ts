import { compareFences } from '#cli/server/faults/check/fences.ts'
import type { FinalTask } from '#cli/server/faults/check/history.ts'
import type { Attempt } from '#shared/domain/tasks/attempts.ts'
import type { Task } from '#shared/domain/tasks/task.ts'
import type { TaskEvent } from '#shared/domain/tasks/task-events.ts'
import type { Match } from '#shared/domain/topics/match.ts'
import type { World } from '../world/world.ts'

/** Each once, ascending: what was projected again may stand in two items, but must say the same in both. */
const each = (events: TaskEvent[]): TaskEvent[] => {
  const known = new Map(events.map((event) => [`${event.seq} ${event.type} ${JSON.stringify(event.data)}`, event]))
  return [...known.values()].sort((a, b) => a.seq - b.seq)
}

/** Made by the platform for something else that it was asked for. */
const hasCause = ({ parent, schedule, letter, workflow }: Task): boolean =>
  [parent, schedule, letter, workflow].some((cause) => cause !== undefined)

type State = { status: string; from?: string }

/** The tasks of a world in its end, with their events and attempts. */
export const finalTasks = ({ main }: World): FinalTask[] => {
  const byTask = Map.groupBy(main.rows(), ({ pk }) => pk)
  const matched = new Set(
    [...main.rows()].flatMap((row) => (row.type === 'match' ? [(row.value as Match).became] : [])),
  )
  return [...byTask.values()].flatMap((rows) => {
    const head = rows.find(({ type, sk }) => type === 'task' && sk === 'head')?.value as Task | undefined
    if (head === undefined) return []
    const events = each(
      rows.filter(({ type }) => type === 'event').flatMap(({ value }) => (value as { events: TaskEvent[] }).events),
    )
    const attempts = rows.filter(({ type }) => type === 'attempt').map(({ value }) => value as Attempt)
    return [
      {
        id: head.id,
        status: head.status,
        derived: matched.has(head.id) || hasCause(head),
        states: events
          .filter(({ type }) => type === 'task.state')
          .map(({ seq, data }) => ({ seq, from: (data as State).from, to: (data as State).status })),
        seqs: events.map(({ seq }) => seq),
        attempts: attempts
          .sort((a, b) => a.attempt - b.attempt || compareFences(a.fence, b.fence))
          .map(({ fence, instance, outcome }) => ({ fence, instance, outcome })),
      },
    ]
  })
}
