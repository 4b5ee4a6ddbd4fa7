import { setTimeout as sleep } from 'node:timers/promises'
import { AgentError, type SharedState } from '../sdk/index.ts'
import { asJson, requireJson } from './json.ts'
import type { SlotCalls } from './slot-messages.ts'

type Ask = <N extends 'getState' | 'putState'>(
  name: N,
  argument: SlotCalls[N]['argument'],
) => Promise<SlotCalls[N]['answer']>

/** Somebody else comes first so often at most. */
const mostRounds = 100
const pauseMs = 50

const requireRun = (run: string | undefined): string => {
  if (run !== undefined) return run
  throw new AgentError('this task is done for no run of a workflow, and shares no state', { retryable: false })
}

/** JSON has no `undefined`: a value that is one is refused where it is set. */
const requireValue = (key: string, value: unknown): unknown => {
  const say = () => {
    requireJson(value)
    return JSON.stringify(value)
  }
  if (asJson(`state ${key}`, say) !== undefined) return value
  throw new AgentError(`the value of ${key} is undefined; JSON has null for that`, { retryable: false })
}

/** The handler's side of what the agents of a run share. */
export const createState = (workflowRun: string | undefined, ask: Ask): SharedState => {
  const find = (key: string) => ask('getState', { run: requireRun(workflowRun), key })
  const put = (key: string, value: unknown, rev?: string) =>
    ask('putState', {
      run: requireRun(workflowRun),
      key,
      value: requireValue(key, value),
      ...(rev !== undefined && { rev }),
    })

  return {
    get: async (key) => (await find(key))?.value as never,
    set: async (key, value) => void (await put(key, value)),
    async update(key, change) {
      for (let round = 0; round < mostRounds; round++) {
        const current = await find(key)
        const next = await change(current?.value as never)
        if (await put(key, next, current?.rev ?? '')) return next
        await sleep(Math.random() * pauseMs)
      }
      throw new AgentError(`too many change ${key} at once`, { code: 'CONTENDED' })
    },
  }
}
