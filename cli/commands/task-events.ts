import type { TaskEvent, TaskResponse } from '#shared/contracts/tasks.ts'
import type { Client } from '../client/client.ts'
import { followTask, readEvents } from '../client/task-events.ts'
import { interruptible } from '../interrupt.ts'
import { note, print, printJson } from '../render/print.ts'
import { renderEvent } from '../render/task.ts'
import { throwUnlessSucceeded } from './task-outcome.ts'

export type EventsOptions = { after: number; follow?: boolean; json?: boolean }

/** The events so far, or with `--follow` until the end; then the exit code tells how it ended. */
export const eventsTask = async (client: Client, id: string, options: EventsOptions): Promise<void> => {
  if (options.follow)
    return interruptible(
      (signal) => follow(client, id, options, signal),
      () => `${id} goes on`,
    )
  const items = await readEvents(client, id, options.after)
  if (options.json) return printJson({ items, nextCursor: null })
  for (const event of items) print(renderEvent(event))
}

const follow = async (
  client: Client,
  id: string,
  { after, json }: EventsOptions,
  signal: AbortSignal,
): Promise<void> => {
  const show = (event: TaskEvent): void => print(json ? JSON.stringify(event) : renderEvent(event))
  const onLost = (error: Error): void => note(`${error.message}; trying again`)
  for await (const event of followTask(client, id, { after, signal, onLost })) show(event)
  throwUnlessSucceeded(await client.get<TaskResponse>(`/tasks/${encodeURIComponent(id)}`, { signal }))
}
