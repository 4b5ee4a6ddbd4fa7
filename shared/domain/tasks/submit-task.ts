import type { Platform } from '../../platform/platform.ts'
import type { Agent } from '../agents/agent.ts'
import type { Caller } from '../caller.ts'
import { checkAt } from '../check-at.ts'
import { remind } from '../dispatch/due.ts'
import { placed } from '../dispatch/place-task.ts'
import { sendPlaced } from '../dispatch/send-task.ts'
import { DomainError } from '../domain-error.ts'
import { distribute, sendDistributed } from '../fan-out/distribute.ts'
import type { PartTask, Shards } from '../fan-out/shards.ts'
import { digest, idFor } from '../ids.ts'
import { isObjectRef, requireContent, requireObjectId } from '../objects/object-ref.ts'
import { requireSame } from '../require-same.ts'
import { requireTarget } from '../webhooks/change-webhook.ts'
import { admitChild } from './admit-child.ts'
import { buildTask } from './build-task.ts'
import { followParent } from './cancel-children.ts'
import { removeChild } from './child-count.ts'
import { type Choice, chooseTarget } from './choose-target.ts'
import { inherit } from './lineage.ts'
import { routeBlocked } from './route-blocked.ts'
import type { SubmitCommand } from './submit-command.ts'
import type { Task } from './task.ts'
import { createTask, findTask, getTask } from './task-store.ts'

/** Says what in an input does not fit a JSON Schema. */
export type CheckInput = (
  schema: Record<string, unknown>,
  input: unknown,
) => Promise<{ pointer: string; message: string }[]>

type Ports = Omit<Platform, 'feed' | 'bus' | 'hosts' | 'generation'>

/**
 * Accepts a task: routes it, stores its head if absent and sends its id, in parallel. A send that fails is made good
 * by the sweep. With an idempotency key the same body answers the stored task, another body is a conflict.
 */
export const submitTask = async (
  ports: Ports,
  caller: Caller,
  wished: SubmitCommand,
  checkInput: CheckInput,
): Promise<Task> => {
  const { command, lineage } = await inherit(ports, caller, wished)
  const id = idFor('tsk', caller.tenant, command.idempotencyKey, ports)
  const submitted = command.idempotencyKey === undefined ? '' : fingerprint(wished)
  const before = command.idempotencyKey === undefined ? undefined : await findTask(ports, caller.tenant, id)
  if (before) return sameOrConflict(before.value, submitted, command)
  const choice = await checkSubmit(ports, caller.tenant, { command, root: lineage?.root ?? id }, checkInput)
  const plan = { ...choice, id, submitted, command, lineage }
  const built = await buildTask(ports, caller, plan)
  const { task: made, items } = command.shards ? await distribute(ports, caller, built, command) : built
  const task = await placed(ports, made)
  const shares = await admitChild(ports, task, lineage?.pool)
  const [existing] = await Promise.all([createTask(ports, task, items, shares), dispatch(ports, task)])
  if (existing) await removeChild(ports, task)
  if (existing) return sameOrConflict(existing, submitted, command)
  if (await followParent(ports, task)) return (await getTask(ports, caller.tenant, id)).value
  if (task.blockedBy) await routeBlocked(ports, caller.tenant, id) // somebody may have registered meanwhile
  return task
}

/** `inputLater`: it has no input yet, and is checked again with that. */
export type Checked = { command: SubmitCommand; root: string; inputLater?: true }

/** Who would do it; refuses what names an agent, an object or an address that is not there, or does not fit a schema. */
export const checkSubmit = async (
  ports: Ports,
  tenant: string,
  checked: Checked,
  checkInput: CheckInput,
): Promise<Choice> => {
  const { command, root, inputLater } = checked
  const { capability = '', input } = command
  const takes = async (agent: Agent) =>
    inputLater || (await problemsOf({ agent, capability }, input, checkInput)).length === 0
  const choice = await chooseTarget(ports, tenant, command, { root, takes })
  if (command.callback) await requireTarget(ports, command.callback.url, '#/callback/url')
  await requireContent(ports, tenant, { value: command.input, pointer: '#/input' })
  if (command.shards) {
    requireObjectIds(command.shards)
    await checkParts(ports, tenant, checked, checkInput)
  } else if (!inputLater) await checkAgainstSchema(choice, command.input, checkInput)
  return choice
}

/** What makes the shards, or joins their results, is refused before there is any. */
const checkParts = async (
  ports: Ports,
  tenant: string,
  { command: { shards, join = 'list', labels }, root }: Checked,
  checkInput: CheckInput,
): Promise<void> => {
  const check = (at: string, part: PartTask, more?: Pick<Checked, 'inputLater'>) =>
    checkAt({ at, names: 'agent' }, () =>
      checkSubmit(ports, tenant, { command: { ...part, labels }, root, ...more }, checkInput),
    )
  if (shards && 'split' in shards) await check('#/shards/split', shards.split)
  if (join !== 'list') await check('#/join', join, { inputLater: true })
}

/** Each shard is an input: what it means is checked with all, whether it has content when its turn comes. */
const requireObjectIds = (shards: Shards): void => {
  if ('split' in shards) requireObjectId(shards.split.input, '#/shards/split/input')
  if ('list' in shards) for (const [at, one] of shards.list.entries()) requireObjectId(one, `#/shards/list/${at}`)
}

/** The same for the same wish, whoever traces it; what is done again has a deadline of its own each time, and finds its stream. */
const fingerprint = (command: SubmitCommand): string => {
  const { retryOf } = command
  const again = retryOf && { deadline: undefined, retryOf: { ...retryOf, stream: undefined } }
  return digest({ ...command, ...again, idempotencyKey: undefined, traceparent: undefined })
}

const sameOrConflict = (task: Task, submitted: string, { idempotencyKey }: SubmitCommand): Task => {
  requireSame(`task ${task.id}`, idempotencyKey, { before: task.submitted, now: submitted })
  return task
}

const dispatch = async (ports: Ports, task: Task): Promise<void> => {
  if (task.status === 'SCHEDULED') await remind(ports, { tenant: task.tenant, id: task.id, at: task.dueAt ?? 0 })
  else if (task.fanOut) await sendDistributed(ports, task)
  else await sendPlaced(ports, task)
}

const problemsOf = async ({ agent, capability }: Choice, input: unknown, check: CheckInput) => {
  const schema = agent?.capabilities.find(({ name }) => name === capability)?.inputSchema
  return schema === undefined || isObjectRef(input) ? [] : check(schema, input) // an object is only known to the agent
}

const checkAgainstSchema = async (choice: Choice, input: unknown, check: CheckInput): Promise<void> => {
  const problems = await problemsOf(choice, input, check)
  if (problems.length > 0)
    throw new DomainError(
      'INVALID',
      `the input does not fit the input schema of ${choice.capability}`,
      problems.map(({ pointer, message }) => ({ pointer: `#/input${pointer}`, code: 'SCHEMA', message })),
    )
}
