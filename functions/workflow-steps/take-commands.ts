import { failed } from '#functions/sweep/attend-each.ts'
import type { Platform, WorkflowConsumer } from '#shared/platform/platform.ts'

/** The JSON of a command; a text that is none is itself. */
const parse = (body: string): unknown => {
  try {
    return JSON.parse(body) as unknown
  } catch {
    return body
  }
}

/** Hands commands of steps to their consumer, side by side. Answers those that must come again. */
export const takeCommands = async (
  platform: Pick<Platform, 'telemetry'>,
  { onCommand }: WorkflowConsumer,
  bodies: string[],
): Promise<string[]> => {
  const outcomes = await Promise.allSettled(bodies.map(async (body) => onCommand(parse(body))))
  return bodies.filter((body, at) => failed(platform, body, outcomes[at]))
}
