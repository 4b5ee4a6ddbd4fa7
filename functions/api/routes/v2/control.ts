import type { OperationOf } from '#shared/contracts/operations.ts'
import { getAgent } from '#shared/domain/agents/agent-store.ts'
import { describeAgent } from '#shared/domain/agents/describe-agent.ts'
import type { AgentOperation } from '#shared/domain/agents/lifecycle.ts'
import { operateAgent, scaleAgent } from '#shared/domain/agents/operate-agent.ts'
import { cancelTasks } from '#shared/domain/tasks/cancel-tasks.ts'
import { retryTask } from '#shared/domain/tasks/retry-task.ts'
import { checkInput } from '../../check-input.ts'
import { idempotencyKey, iso } from '../../headers.ts'
import type { Call, Context, Handler, Reply } from '../../operation.ts'
import { pageOf } from '../../page-of.ts'
import { timeRange } from '../../time-range.ts'
import { activeAgent, replyAgent } from './agents.ts'
import { toTask } from './task-response.ts'

const retry: Handler<OperationOf<'retryTask'>> = async ({ platform }, { caller, params, body, headers }) => {
  const wish = { from: body.from, idempotencyKey: idempotencyKey(headers) }
  const { task, isNew } = await retryTask(platform, caller, params.task ?? '', wish, checkInput)
  return {
    status: isNew ? 202 : 200,
    body: await toTask(platform, task),
    headers: { location: `/api/v2/tasks/${task.id}` },
  }
}

/** Well within what a gateway waits. */
const patienceMs = 20_000

const cancelMany: Handler<OperationOf<'cancelTasks'>> = async ({ platform }, { caller, body }) => {
  const { labels = {}, since, until, ...rest } = body.filter ?? {}
  const filter = {
    ...rest,
    labels: Object.entries(labels).map((label) => [label]),
    ...timeRange({ since, until }, '#/filter'),
  }
  const { reason, dryRun } = body
  const cancelled = await cancelTasks(platform, caller, { filter, reason, dryRun, patienceMs })
  if (cancelled.matched === 0 && filter.agent !== undefined) await getAgent(platform, caller.tenant, filter.agent) // a mistyped one must not look idle
  return { status: 200, body: cancelled }
}

type OperateCall = Pick<Call<OperationOf<'pauseAgent'>>, 'caller' | 'params' | 'body'>

const operate =
  (operation: AgentOperation) =>
  async (context: Context, { caller, params, body }: OperateCall): Promise<Reply> => {
    const { value } = await activeAgent(context, caller.tenant, params.agent ?? '')
    const saved = await operateAgent(context.platform, caller, value.id, { operation, reason: body.reason })
    return replyAgent(200, await describeAgent(context.platform, saved))
  }

const scale: Handler<OperationOf<'scaleAgent'>> = async (context, { caller, params, body }) => {
  const { value } = await activeAgent(context, caller.tenant, params.agent ?? '')
  const wish = { instances: body.instances ?? undefined, reason: body.reason }
  return replyAgent(
    200,
    await describeAgent(context.platform, await scaleAgent(context.platform, caller, value.id, wish)),
  )
}

const history: Handler<OperationOf<'getAgentHistory'>> = async (context, { caller, params, query }) => {
  const { value } = await activeAgent(context, caller.tenant, params.agent ?? '')
  const changes = (value.history ?? []).map((change) => ({ ...change, at: iso(change.at) })).reverse()
  return { status: 200, body: pageOf(changes, query, ({ at, from, to }) => `${at} ${from} ${to}`) }
}

export const controlHandlers = {
  retryTask: retry,
  cancelTasks: cancelMany,
  pauseAgent: operate('pause'),
  maintainAgent: operate('maintenance'),
  resumeAgent: operate('resume'),
  activateAgent: operate('activate'),
  drainAgent: operate('drain'),
  scaleAgent: scale,
  getAgentHistory: history,
}
