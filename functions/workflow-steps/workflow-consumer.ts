import { checkInput } from '#functions/api/check-input.ts'
import { readMessage } from '#functions/api/read-message.ts'
import { readSubmit } from '#functions/api/read-submit.ts'
import { endRun } from '#shared/domain/workflows/end-run.ts'
import { runStep } from '#shared/domain/workflows/steps/run-step.ts'
import type { Platform, WorkflowConsumer } from '#shared/platform/platform.ts'

/** Does what the steps of runs ask for, and hears of the ends of their machines. */
export const workflowConsumer = (platform: Platform): WorkflowConsumer => ({
  onCommand: (body) => runStep(platform, body, { checkInput, readSubmit, readMessage }),
  onEnd: (end) => endRun(platform, end),
})
