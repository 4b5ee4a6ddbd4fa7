import type { Platform } from '../../platform/platform.ts'
import type { Agent } from '../agents/agent.ts'
import { placeTask } from '../dispatch/place-task.ts'
import { isSendable, sendPlaced } from '../dispatch/send-task.ts'
import type { Instance } from '../instances/instance.ts'
import { dropSent } from './drop-sent.ts'
import { handOnLost } from './hand-on-task.ts'
import { pinnedHolderPk, unmetHolderPk } from './holders.ts'
import { releaseBlocked } from './release-blocked.ts'
import type { Task } from './task.ts'

type Ports = Pick<Platform, 'main' | 'volatile' | 'clock' | 'random' | 'queues' | 'telemetry'>

/** An instance is gone or takes nothing more: what waits for it goes elsewhere. */
export const releasePinned = async (ports: Ports, instance: Instance): Promise<void> => {
  const gone = await sendAll(ports, pinnedHolderPk(instance.tenant, instance.id))
  await dropSent(ports, instance, gone)
}

/** An agent, or an instance of it, has labels or a class that it had not: what waited for them goes to it. */
export const releaseUnmet = async (ports: Ports, { tenant, id, capabilities }: Agent): Promise<void> => {
  await sendAll(ports, unmetHolderPk(tenant, id))
  for (const { name } of capabilities) await releaseBlocked(ports, tenant, name)
}

/** Everything of a `holder` partition is placed anew; what stays in it stays behind the cursor. Answers what left its agent's lanes. */
const sendAll = async (ports: Ports, pk: string): Promise<string[]> => {
  const gone: string[] = []
  let cursor: string | undefined
  do {
    const page = await ports.main.query<Task>({ index: 'holder', pk, limit: 100, cursor })
    const stay = await Promise.all(page.items.map(({ value }) => placeAnew(ports, value)))
    gone.push(...page.items.flatMap(({ value }, at) => (stay[at] ? [] : [value.id])))
    cursor = page.cursor
  } while (cursor !== undefined)
  return gone
}

/** Answers whether it waits in the lanes of its agent still. */
const placeAnew = async (ports: Ports, task: Task): Promise<boolean> => {
  if (await handOnLost(ports, task)) return false
  const next = await placeTask(ports, task)
  await sendPlaced(ports, next)
  return next.target?.agent === task.target?.agent && isSendable(next)
}
