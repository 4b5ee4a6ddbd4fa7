import { createHash } from 'node:crypto'
import { type AgentContext, AgentError } from '../sdk/index.ts'
import { asJson } from './json.ts'
import type { SlotCalls } from './slot-messages.ts'

type Ask = (argument: SlotCalls['call']['argument']) => Promise<SlotCalls['call']['answer']>

const digest = (value: unknown): string =>
  createHash('sha256')
    .update(JSON.stringify(value) ?? '')
    .digest('hex')
    .slice(0, 32)

const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })

/**
 * Calls of child tasks. Without a key of its own, a call is known by its arguments and by how many like it came before:
 * an attempt that makes the same calls again finds the same children.
 */
export const createCall = (ask: Ask, signal: AbortSignal): AgentContext['call'] => {
  const seen = new Map<string, number>()
  const keyOf = (body: object): string => {
    const known = asJson('call', () => digest(body))
    const before = seen.get(known) ?? 0
    seen.set(known, before + 1)
    return `${known}.${before}`
  }
  return async (target, input, { key, ...options } = {}) => {
    const whom = typeof target === 'string' ? { capability: target } : target
    const body = { ...whom, ...options, ...(input !== undefined && { input }) }
    const answer = await Promise.race([ask({ key: key ?? keyOf(body), body }), aborted(signal)])
    if ('failed' in answer) throw new AgentError(answer.failed.message, answer.failed)
    return answer.result as never
  }
}
