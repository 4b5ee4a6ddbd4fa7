import type { OperationId, OperationOf } from '#shared/contracts/operations.ts'
import type { Handler } from '../../operation.ts'
import { agentHandlers } from './agents.ts'
import { approvalHandlers } from './approvals.ts'
import { batchHandlers } from './batches.ts'
import { controlHandlers } from './control.ts'
import { hookHandlers } from './hooks.ts'
import { inputHandlers } from './input.ts'
import { limitHandlers } from './limits.ts'
import { mailboxHandlers } from './mailboxes.ts'
import { messageHandlers } from './messages.ts'
import { objectHandlers } from './objects.ts'
import { queueHandlers } from './queues.ts'
import { realtimeHandlers } from './realtime.ts'
import { runHandlers } from './runs.ts'
import { scheduleHandlers } from './schedules.ts'
import { taskHandlers } from './tasks.ts'
import { topicHandlers } from './topics.ts'
import { webhookHandlers } from './webhooks.ts'
import { workerHandlers } from './worker.ts'
import { workflowHandlers } from './workflows.ts'

/** One handler for each operation of the contract: a new operation does not compile until it has one. */
export const handlers: { [Id in OperationId]: Handler<OperationOf<Id>> } = {
  ...agentHandlers,
  ...taskHandlers,
  ...workerHandlers,
  ...objectHandlers,
  ...controlHandlers,
  ...webhookHandlers,
  ...scheduleHandlers,
  ...inputHandlers,
  ...approvalHandlers,
  ...batchHandlers,
  ...limitHandlers,
  ...workflowHandlers,
  ...runHandlers,
  ...topicHandlers,
  ...hookHandlers,
  ...messageHandlers,
  ...mailboxHandlers,
  ...queueHandlers,
  ...realtimeHandlers,
}
