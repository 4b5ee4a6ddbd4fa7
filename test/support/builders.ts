import { defaultRetry } from '#shared/domain/tasks/retry-policy.ts'
import type { Task } from '#shared/domain/tasks/task.ts'

/** A queued task of agent `reviewer`, with whatever matters to the test changed. */
export const aTask = (change: Partial<Task> = {}): Task => ({
  id: 'tsk_00000000000000000000000001',
  tenant: 'default',
  status: 'QUEUED',
  capability: 'code.review',
  target: { agent: 'agt_00000000000000000000000001', agentName: 'reviewer', version: '1.0.0' },
  priority: 'normal',
  fairnessKey: 'key:test',
  labels: {},
  input: { in: 'head', value: null },
  retry: defaultRetry,
  timeoutSeconds: 60,
  deadline: 1_000_000,
  attempt: 0,
  failures: 0,
  leaseLosses: 0,
  releases: 0,
  epoch: 0,
  seq: 1,
  transition: { seq: 1, to: 'QUEUED', at: 0 },
  dueAt: 60_000,
  createdAt: 0,
  submitted: 'digest',
  submittedBy: 'key:test',
  stamp: { actor: 'key:test', action: 'task.submit', request: 'req' },
  ...change,
})
