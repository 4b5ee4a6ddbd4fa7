import type { Workflows } from '#shared/platform/platform.ts'
import { PlatformError } from '#shared/platform/platform-error.ts'

const refuse = () => Promise.reject(new PlatformError('UNSUPPORTED', 'no workflows run here'))

/** A host on which no workflow runs. */
export const noWorkflows: Workflows = {
  deploy: refuse,
  start: refuse,
  stop: refuse,
  describe: refuse,
  history: refuse,
  eventsAfter: refuse,
  succeed: refuse,
  fail: refuse,
  heartbeat: refuse,
  redrive: refuse,
}
