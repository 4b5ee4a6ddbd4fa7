import { agentOperations } from './operations/agents.ts'
import { approvalOperations } from './operations/approvals.ts'
import { batchOperations } from './operations/batches.ts'
import { controlOperations } from './operations/control.ts'
import { inputOperations } from './operations/input.ts'
import { limitOperations } from './operations/limits.ts'
import { mailboxOperations } from './operations/mailboxes.ts'
import { messageOperations } from './operations/messages.ts'
import { objectOperations } from './operations/objects.ts'
import { realtimeOperations } from './operations/realtime.ts'
import { scheduleOperations } from './operations/schedules.ts'
import { taskOperations } from './operations/tasks.ts'
import { topicOperations } from './operations/topics.ts'
import { webhookOperations } from './operations/webhooks.ts'
import { workerOperations } from './operations/worker.ts'
import { workflowOperations } from './operations/workflows.ts'

export type { Audience, Operation } from './operations/operation.ts'

/** Everything under `/api/v2`: the router, the OpenAPI document and the handlers' types come from these rows. */
export const operations = {
  ...agentOperations,
  ...taskOperations,
  ...workerOperations,
  ...objectOperations,
  ...controlOperations,
  ...webhookOperations,
  ...scheduleOperations,
  ...inputOperations,
  ...approvalOperations,
  ...batchOperations,
  ...limitOperations,
  ...workflowOperations,
  ...topicOperations,
  ...messageOperations,
  ...mailboxOperations,
  ...realtimeOperations,
}

export type OperationId = keyof typeof operations
export type OperationOf<Id extends OperationId> = (typeof operations)[Id]
