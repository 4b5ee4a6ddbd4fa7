import type { AgentContext } from '#agent/sdk/index.ts'
import { limits, type TestsInput } from './contract.ts'

/** The time and memory of one task. */
export type Budget = { seconds: number; leftMs: () => number; memoryBytes: number }

/** Left of a task's own time to tell the result. */
const marginMs = 5000

/** What the input allows, within what the task and this process have. */
export const createBudget = (
  { task }: Pick<AgentContext, 'task'>,
  { timeoutSeconds = limits.defaultTimeoutSeconds }: Pick<TestsInput, 'timeoutSeconds'>,
): Budget => {
  const start = Date.now()
  const bounds = [
    timeoutSeconds * 1000,
    ...(task.timeoutSeconds === undefined ? [] : [task.timeoutSeconds * 1000 - marginMs]),
    ...(task.deadline === undefined ? [] : [Date.parse(task.deadline) - start - marginMs]),
  ]
  const total = Math.max(1000, Math.min(...bounds))
  return {
    seconds: Math.round(total / 1000),
    leftMs: () => Math.max(1, start + total - Date.now()),
    memoryBytes: memoryLimit(),
  }
}

/** Three quarters of what this process may have where that is less than the usual limit. */
const memoryLimit = (): number => {
  const usual = limits.memoryMb * 1024 ** 2
  const constrained = process.constrainedMemory()
  return constrained > 0 ? Math.min(usual, constrained * 0.75) : usual
}
