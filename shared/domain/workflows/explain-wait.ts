import type { Platform } from '../../platform/platform.ts'
import { findAgent } from '../agents/agent-store.ts'
import { findApproval } from '../approvals/approval-store.ts'
import type { Letter } from '../inboxes/letter.ts'
import { lettersOf } from '../inboxes/letter-store.ts'
import { liveInstancesOf } from '../instances/instance-store.ts'
import { taskOfLetter } from '../messages/handle-letter.ts'
import { findMessage } from '../messages/message-store.ts'
import { findTask } from '../tasks/task-store.ts'
import { findSubscription } from '../topics/topic-store.ts'
import { explainTask } from '../why/explain-task.ts'
import type { RunStep } from './run.ts'

type Ports = Pick<Platform, 'main' | 'volatile' | 'queues' | 'clock'>

/** What something waits for, and what would end that. */
export type WaitWhy = { code: string; message: string; wouldChange?: string }

export const iso = (ms: number): string => new Date(ms).toISOString()

const decideBy = (approval: string): string =>
  `decide it: devcycle approvals approve ${approval}, or devcycle approvals reject ${approval}`

/** Who is asked, until when, and how an answer is given. */
export const explainApproval = async (ports: Ports, tenant: string, id: string): Promise<WaitWhy> => {
  const approval = (await findApproval(ports, tenant, id))?.value
  if (approval === undefined) return { code: 'STEP_BEGINS', message: `approval ${id} is being asked for` }
  const { approvers, quorum, expiresAt, decisions } = approval
  const who = approvers.length > 0 ? approvers.join(', ') : 'anybody'
  const left = quorum - decisions.filter(({ verdict }) => verdict === 'approve').length
  return {
    code: 'WAITING_FOR_APPROVAL',
    message: `waits for approval ${id} of ${who} until ${iso(expiresAt)}; ${left} of ${quorum} missing`,
    wouldChange: decideBy(id),
  }
}

/** What the task of a step waits for, and the command that helps where people are asked. */
export const explainTaskWait = async (ports: Ports, tenant: string, task: string): Promise<WaitWhy> => {
  const { code, message, evidence, wouldChange } = await explainTask(ports, tenant, task)
  if (code === 'WAITING_FOR_INPUT')
    return { code, message, wouldChange: `answer it: devcycle tasks input ${task} --response JSON` }
  if (code === 'WAITING_FOR_APPROVAL' && evidence.approval !== undefined)
    return { code, message, wouldChange: decideBy(String(evidence.approval)) }
  return { code, message, wouldChange }
}

const shortened = (text: string): string => (text.length > 200 ? `${text.slice(0, 199)}…` : text)

/** Which message is waited for, until when, and how it would come. */
export const explainEvent = async (
  ports: Ports,
  { tenant, subscription: id = '', until }: Pick<RunStep, 'tenant' | 'subscription' | 'until'>,
): Promise<WaitWhy> => {
  const subscription = (await findSubscription(ports, tenant, id))?.value
  if (subscription === undefined) return { code: 'STEP_BEGINS', message: `subscription ${id} is being made` }
  const { topic, pattern } = subscription
  const like = pattern === undefined ? '' : ` like ${shortened(JSON.stringify(pattern))}`
  const end = until === undefined ? '' : ` until ${iso(until)}`
  return {
    code: 'WAITING_FOR_EVENT',
    message: `waits for a message on topic ${topic}${like}${end}`,
    wouldChange: `publish it: devcycle messages publish ${topic} TYPE --body JSON`,
  }
}

/** A run waits for another one. */
export const explainChild = (id: string): WaitWhy => ({
  code: 'CHILD_RUN',
  message: `waits for the end of run ${id}`,
  wouldChange: `see what it waits for: devcycle runs why ${id}`,
})

/** Whose response is waited for, and what keeps it. */
export const explainRequest = async (ports: Ports, tenant: string, id: string): Promise<WaitWhy> => {
  const [request, { items }] = await Promise.all([
    findMessage(ports, tenant, id),
    lettersOf(ports, { tenant, message: id, limit: 1 }),
  ])
  const letter = items[0]?.value
  if (request === undefined || letter === undefined)
    return { code: 'STEP_BEGINS', message: `request ${id} is being sent` }
  const { expiresAt = request.value.createdAt } = request.value.envelope
  const { why, wouldChange } = await explainLetter(ports, letter)
  const message = `waits for the response to request ${id} until ${iso(expiresAt)}: ${why}`
  return { code: 'WAITING_FOR_RESPONSE', message, wouldChange }
}

const answerBy = ({ envelope }: Letter): string => `POST /messages/${envelope.id}/reply`

const explainLetter = async (ports: Ports, letter: Letter): Promise<{ why: string; wouldChange: string }> => {
  const { tenant, inbox, state, reason } = letter
  const agent = (await findAgent(ports, tenant, inbox))?.value
  const name = agent?.name ?? inbox
  if (state === 'DEAD')
    return {
      why: `agent ${name} never took it: ${reason?.message}`,
      wouldChange: `answer it in its place: ${answerBy(letter)}`,
    }
  const task = taskOfLetter(letter)
  if (letter.handled && (await findTask(ports, tenant, task))) {
    const { message, wouldChange } = await explainTask(ports, tenant, task)
    return { why: `agent ${name} handles it by task ${task}: ${message}`, wouldChange }
  }
  if (agent === undefined || agent.decommissionedAt !== undefined)
    return { why: `agent ${name} is gone`, wouldChange: `stop the run, or answer in its place: ${answerBy(letter)}` }
  const live = await liveInstancesOf(ports, tenant, inbox)
  const who = live.length === 0 ? 'no instance of it runs' : `${live.length} of its instances run`
  const seen = state === 'DONE' ? 'has read it and not answered' : 'has it in its mailbox'
  return { why: `agent ${name} ${seen}, and ${who}`, wouldChange: `let agent ${name} run, and answer` }
}
