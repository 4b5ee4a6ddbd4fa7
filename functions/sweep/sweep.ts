import { checkInput } from '#functions/api/check-input.ts'
import { readSubmit } from '#functions/api/read-submit.ts'
import { attendApproval } from '#shared/domain/approvals/attend-approval.ts'
import { dueBefore, dueShardPk, dueShards } from '#shared/domain/dispatch/due.ts'
import { attendFanOut } from '#shared/domain/fan-out/attend-fan-out.ts'
import { attendInstance } from '#shared/domain/instances/end-instance.ts'
import { attendLimit } from '#shared/domain/limits/hold-task.ts'
import { attendMailbox } from '#shared/domain/messages/attend-mailbox.ts'
import { attendMessage } from '#shared/domain/messages/attend-message.ts'
import { attendLetter } from '#shared/domain/messages/handle-letter.ts'
import { attendSchedule } from '#shared/domain/schedules/attend-schedule.ts'
import { attendTask } from '#shared/domain/tasks/attend-task.ts'
import type { Task } from '#shared/domain/tasks/task.ts'
import { attendMatch } from '#shared/domain/topics/attend-match.ts'
import { attendReplay } from '#shared/domain/topics/replay.ts'
import { attendPublication } from '#shared/domain/topics/spread.ts'
import { resendDelivery } from '#shared/domain/webhooks/send-delivery.ts'
import { attendRun } from '#shared/domain/workflows/attend-run.ts'
import type { Platform, Stored } from '#shared/platform/platform.ts'
import { type Attend, attendEach, failed } from './attend-each.ts'
import { scheduleTools } from './schedule-tools.ts'

const attendStart: Attend = (platform, tenant, id) => attendSchedule(platform, tenant, id, scheduleTools)
const attendBatch: Attend = (platform, tenant, id) => attendFanOut(platform, { checkInput, readSubmit }, tenant, id)

/** Who looks after what, by the prefix of its id. */
const attendants: Record<string, Attend> = {
  tsk: attendTask,
  agt: attendMailbox,
  ins: attendInstance,
  apr: attendApproval,
  bat: attendBatch,
  lim: attendLimit,
  sch: attendStart,
  run: attendRun,
  dlv: resendDelivery,
  msg: attendMessage,
  ltr: (platform, tenant, id) => attendLetter(platform, { checkInput }, { tenant, id }),
  pub: (platform, tenant, id) => attendPublication(platform, { checkInput }, { tenant, id }),
  mat: (platform, tenant, id) => attendMatch(platform, { checkInput }, { tenant, id }),
  rpl: (platform, tenant, id) => attendReplay(platform, { checkInput }, { tenant, id }),
}

const attendOne = async (platform: Platform, tenant: string, id: string): Promise<void> => {
  await attendants[id.slice(0, 3)]?.(platform, tenant, id)
}

/** Reminders from the due queue. Answers those that must come again. */
export const attend = (platform: Platform, bodies: string[]): Promise<string[]> =>
  attendEach(platform, bodies, attendOne)

const pageSize = 200

/** Looks at everything that is due now, whatever the queues have lost. Answers how many things that were. */
export const sweep = async (platform: Platform): Promise<number> => {
  const now = platform.clock.now()
  const shards = await Promise.all(Array.from({ length: dueShards }, (_, shard) => sweepShard(platform, shard, now)))
  const oldest = Math.max(...shards.map((shard) => shard.oldest))
  if (oldest > 0) platform.telemetry.metric('OldestTaskAge', oldest, 'Milliseconds')
  return shards.reduce((sum, { count }) => sum + count, 0)
}

/** How long something has been a task that waits in its queue. */
const ageInQueue = ({ type, value }: Stored, now: number): number => {
  const task = type === 'task' ? (value as Task) : undefined
  return task?.status === 'QUEUED' ? now - task.transition.at : 0
}

const sweepShard = async (
  platform: Platform,
  shard: number,
  now: number,
): Promise<{ count: number; oldest: number }> => {
  let count = 0
  let oldest = 0
  let cursor: string | undefined
  do {
    const page = await platform.main.query({
      index: 'due',
      pk: dueShardPk(shard),
      before: dueBefore(now),
      limit: pageSize,
      cursor,
    })
    const due = page.items.map(({ pk }) => pk.split('#'))
    const outcomes = await Promise.allSettled(due.map(([tenant = '', , id = '']) => attendOne(platform, tenant, id)))
    for (const [at, key] of due.entries()) failed(platform, key.join('#'), outcomes[at])
    count += due.length
    oldest = Math.max(oldest, ...page.items.map((item) => ageInQueue(item, now)))
    cursor = page.cursor
  } while (cursor !== undefined)
  return { count, oldest }
}
