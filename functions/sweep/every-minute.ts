import type { Platform } from '#shared/platform/platform.ts'
import { type HostedAgent, scaleHostedAgents } from './scale.ts'
import { sweep } from './sweep.ts'

/** What is due, and as many instances of hosted agents as there is work: neither waits for the other, or fails by it. */
export const everyMinute = async (platform: Platform, hosted: HostedAgent[]): Promise<void> => {
  const outcomes = await Promise.allSettled([sweep(platform), scaleHostedAgents(platform, hosted)])
  const failures = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []))
  if (failures.length > 0) throw new AggregateError(failures, `a minute's work failed: ${failures.join('; ')}`)
}
