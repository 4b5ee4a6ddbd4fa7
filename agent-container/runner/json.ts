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

const mute = [Map, Set, WeakMap, WeakSet, Promise]

/** How that is called which JSON would leave out, or say as something else. */
const unsaid = (value: unknown): string | undefined => {
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value)
  if (typeof value === 'function' || typeof value === 'symbol') return `a ${typeof value}`
  const kind = mute.find((one) => value instanceof one)
  return kind && `a ${kind.name}`
}

/** Throws what there is no JSON for, although `JSON.stringify` would lose it without a word. */
export const requireJson = (value: unknown): void => {
  JSON.stringify(value, (key, part: unknown) => {
    const what = unsaid(part)
    if (what !== undefined) throw new TypeError(key === '' ? `it is ${what}` : `${key} is ${what}`)
    return typeof part === 'string' ? '' : part // only looked at: what is long costs nothing
  })
}
