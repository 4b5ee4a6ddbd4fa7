import type { Caller } from '../caller.ts'
import type { CheckInput } from '../tasks/submit-task.ts'
import type { Run } from './run.ts'
import { getRun } from './run-store.ts'
import { loadInput, startRun } from './start-run.ts'

export type RerunWish = { input?: unknown; version?: string; idempotencyKey?: string }

/** Starts a run again: with its input and on its version, unless others are wished. */
export const rerunRun = async (
  ports: Parameters<typeof startRun>[0],
  caller: Caller,
  id: string,
  wish: RerunWish,
  checkInput: CheckInput,
): Promise<Run> => {
  const { value: run } = await getRun(ports, caller.tenant, id)
  const input = 'input' in wish ? wish.input : await loadInput(ports, run)
  const { workflow, version } = run
  const { idempotencyKey } = wish
  const command = { workflow, version: wish.version ?? String(version), input, idempotencyKey, rerunOf: id }
  return startRun(ports, caller, command, checkInput)
}
