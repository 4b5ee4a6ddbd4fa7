import type { Platform, Stored } from '../../platform/platform.ts'
import { planBody } from '../bodies/body.ts'
import { actorOf, type Caller, stamp } from '../caller.ts'
import { compete } from '../contention.ts'
import { sendTask } from '../dispatch/send-task.ts'
import { DomainError, orThrow } from '../domain-error.ts'
import type { Task } from '../tasks/task.ts'
import { rejectTask, resumeTask } from '../tasks/task-moves.ts'
import { changeTask, getTask, taskPk } from '../tasks/task-store.ts'
import { type Approval, isOpen, type Verdict } from './approval.ts'
import { decideApproval as decide } from './approval-moves.ts'
import { approvalWrite, getApproval } from './approval-store.ts'

type Ports = Omit<Platform, 'feed' | 'bus' | 'hosts' | 'generation'>

export type DecisionCommand = { verdict: Verdict; comment?: string; response?: unknown }

/**
 * Records a decision. The one that closes the approval of a task moves that in the same write: it goes on, or fails
 * with `REJECTED`. The same decision of the same principal again answers what is stored.
 */
export const decideApproval = async (
  ports: Ports,
  caller: Caller,
  id: string,
  { verdict, comment, response }: DecisionCommand,
): Promise<Approval> => {
  const by = actorOf(caller)
  return compete(ports, `approval ${id}`, async () => {
    const start = await getApproval(ports, caller.tenant, id)
    const said = { ...(comment !== undefined && { comment }), ...(response !== undefined && { response }) }
    const decided = orThrow(decide(start.value, { verdict, by, at: ports.clock.now(), ...said }))
    if (decided === start.value) return { done: decided }
    const next = { ...decided, stamp: stamp(caller, `approval.${verdict}`) }
    return (await save(ports, caller, start, next)) ? { done: next } : undefined
  })
}

/** `false`: somebody else changed the approval first. */
const save = async (ports: Ports, caller: Caller, start: Stored<Approval>, next: Approval): Promise<boolean> =>
  isOpen(next) || next.task === undefined
    ? (await ports.main.write(approvalWrite(ports, start, next))).ok
    : moveTask(ports, caller, start, { ...next, task: next.task })

/** What whoever asked is told. */
export const responseOf = ({ id, state, decisions }: Approval) => {
  const last = decisions.at(-1)
  return {
    approved: state === 'APPROVED',
    approval: id,
    ...(last?.comment !== undefined && { comment: last.comment }),
    ...(last?.response !== undefined && { response: last.response }),
    decisions: decisions.map(({ at, ...one }) => ({ ...one, at: new Date(at).toISOString() })),
  }
}

const moveTask = async (
  ports: Ports,
  caller: Caller,
  start: Stored<Approval>,
  next: Approval & { task: string },
): Promise<boolean> => {
  const { tenant, id } = next
  const stamped = stamp(caller, next.state === 'APPROVED' ? 'task.resume' : 'task.reject')
  const pk = taskPk(tenant, next.task)
  const planned = await planBody(ports, { tenant, pk, sk: `response#${id}`, value: responseOf(next), stamp: stamped })
  const found = await getTask(ports, tenant, next.task)
  const { task, answer } = await changeTask(ports, found, async (current) => {
    const { rev } = await getApproval(ports, tenant, id)
    if (rev !== start.rev) return { task: current, answer: false }
    requireWaiting(current, next)
    const moved = move(current, next, { response: planned.body, by: actorOf(caller), now: ports.clock.now() })
    return {
      task: { ...moved, stamp: stamped },
      items: planned.items,
      writes: [approvalWrite(ports, start, next)],
      answer: true,
    }
  })
  if (answer) await sendTask(ports, task)
  return answer
}

const requireWaiting = (task: Task, { id }: Approval): void => {
  if (task.status === 'WAITING' && task.waiting?.approval === id) return
  throw new DomainError('ALREADY_DECIDED', `task ${task.id} is ${task.status} and waits for approval ${id} no more`)
}

type Told = { response: Parameters<typeof resumeTask>[1]['resume']['response']; by: string; now: number }

const move = (task: Task, { state, onReject, decisions }: Approval, { response, by, now }: Told): Task => {
  if (state === 'APPROVED' || onReject === 'resume')
    return orThrow(resumeTask(task, { resume: { kind: 'approval', response, by }, now }))
  const comment = decisions.at(-1)?.comment
  return orThrow(rejectTask(task, { message: `rejected by ${by}${comment ? `: ${comment}` : ''}`, now }))
}
