import type { Letter } from '#shared/domain/inboxes/letter.ts'
import type { Message } from '#shared/domain/messages/message.ts'
import { isFinished, type Task } from '#shared/domain/tasks/task.ts'
import type { Match } from '#shared/domain/topics/match.ts'
import type { Publication } from '#shared/domain/topics/publication.ts'
import { isOver, type Run } from '#shared/domain/workflows/run.ts'
import type { Stored } from '#shared/platform/platform.ts'

/** Of each type of record that comes to an end: whether it has not. */
const rows: Record<string, (value: unknown) => boolean> = {
  task: (value) => !isFinished(value as Task),
  letter: (value) => (value as Letter).state === 'WAITING',
  message: (value) => (value as Message).state === 'PENDING',
  publication: (value) => (value as Publication).position !== undefined,
  run: (value) => !isOver(value as Run) || (value as Run).redriving !== undefined,
  match: (value) => (value as Match).state === 'PENDING',
}

/** Whether something is still to be done about what an item records. */
export const isOpen = ({ type, value }: Stored): boolean => rows[type]?.(value) ?? false
