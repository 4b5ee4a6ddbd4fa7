import type { Platform } from '../../platform/platform.ts'
import { loadBody } from '../bodies/body.ts'
import { DomainError } from '../domain-error.ts'
import type { SubmitCommand } from '../tasks/submit-command.ts'
import type { Task } from '../tasks/task.ts'
import type { FanOut } from './fan-out.ts'
import { fanOutPk, getFanOut } from './fan-out-store.ts'
import { readRows } from './read-rows.ts'
import type { PartTask, Shards } from './shards.ts'

type Ports = Pick<Platform, 'main' | 'objects'>

/** How a distributed task was divided, to divide another one as it was. */
export const distributionOf = async (ports: Ports, { tenant }: Task, id: string): Promise<Partial<SubmitCommand>> => {
  const { value: fan } = await getFanOut(ports, tenant, id)
  const load = (body: FanOut['template']) => loadBody(ports, { tenant, pk: fanOutPk(tenant, id), body })
  const { quorum, failFast } = fan.policy
  return {
    ...((await load(fan.template)) as Partial<SubmitCommand>),
    shards: await shardsOf(ports, fan, load),
    join: fan.join?.kind === 'task' ? ((await load(fan.join.task)) as PartTask) : 'list',
    input: fan.common && (await load(fan.common)),
    quorum,
    onFailure: failFast ? 'fail' : 'continue',
    maxInFlight: fan.maxInFlight,
  }
}

const shardsOf = async (
  ports: Ports,
  { tenant, source }: FanOut,
  load: (body: FanOut['template']) => Promise<unknown>,
): Promise<Shards> => {
  if (source.kind === 'range') return { range: source }
  if (source.kind === 'split') return { split: (await load(source.task)) as PartTask }
  const list: unknown[] = []
  for (let [byte, ended] = [0, false]; !ended; ) {
    const read = await readRows(ports, { tenant, source }, { row: list.length, byte, count: 1000 })
    if (read === undefined) throw new DomainError('CONFLICT', `the shards ${source.id} are gone; submit the task anew`)
    for (const { value } of read.rows) list.push(value)
    byte = read.byte
    ended = read.ended
  }
  return { list }
}
