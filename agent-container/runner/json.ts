import { AgentError } from '../sdk/index.ts'

/** Does what says something as JSON; where JSON cannot say it, that is the agent's final failure. */
export const asJson = <T>(what: string, say: () => T): T => {
  try {
    return say()
  } catch (error) {
    const [why] = (error instanceof Error ? error.message : String(error)).split('\n') // the rest draws the way to it
    throw new AgentError(`the ${what} is no JSON: ${why}`, { retryable: false })
  }
}
