import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { TaskResponse } from '#shared/contracts/tasks.ts'
import type { Client } from '../client/client.ts'
import { CliError, exitCodes } from '../failure.ts'
import { failureOf } from '../render/task.ts'

/** Turns the end of a task into the end of a command. */
export const throwUnlessSucceeded = (task: TaskResponse): void => {
  if (task.status !== 'SUCCEEDED') throw new CliError(`task ${failureOf(task)}`, exitCodes.taskFailed)
}

/** The result, byte for byte as the API answers it. */
export const writeResult = async (client: Client, id: string): Promise<void> => {
  const { body } = await client.open(`/tasks/${encodeURIComponent(id)}/result`)
  if (body) await pipeline(Readable.fromWeb(body), process.stdout, { end: false })
  process.stdout.write('\n')
}
