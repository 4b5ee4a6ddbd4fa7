import type { OperationId } from '../operations.ts'
import { agentExamples } from './agents.ts'
import { type Example, fence, ids } from './example.ts'
import { messageExamples } from './messages.ts'
import { peopleExamples } from './people.ts'
import { planExamples } from './plans.ts'
import { taskExamples } from './tasks.ts'
import { topicExamples } from './topics.ts'
import { workerExamples } from './worker.ts'
import { workflowExamples } from './workflows.ts'

export type { Example } from './example.ts'

/** A call of each operation: an operation without one does not compile. */
export const examples: Record<OperationId, Example> = {
  ...agentExamples,
  ...taskExamples,
  ...workerExamples,
  ...peopleExamples,
  ...planExamples,
  ...workflowExamples,
  ...topicExamples,
  ...messageExamples,
}

/** What stands in a path for each of its parameters. */
export const exampleParams: Record<string, string> = {
  ...ids,
  fence,
  agent: 'upper',
  hook: 'github',
  queue: 'reviews',
  workflow: 'gate',
  version: '3',
  key: 'files',
}
