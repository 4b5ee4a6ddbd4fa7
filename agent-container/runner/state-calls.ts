import { randomUUID } from 'node:crypto'
import { Refusal, sendUntilAnswered } from './platform-client.ts'
import type { SlotCalls } from './slot-messages.ts'
import type { Sender } from './task-source.ts'

type Access = {
  source: Sender
  signal: AbortSignal
  mask: (value: unknown) => unknown
  /** The lease is somebody else's. */
  lost: (reason: string) => void
}
type Held = { task: string; fence: string }
type Names = 'getState' | 'putState'
type Answers = { [N in Names]: (argument: SlotCalls[N]['argument']) => Promise<SlotCalls[N]['answer']> }

const pathOf = ({ run, key }: { run: string; key: string }): string => `/runs/${run}/state/${encodeURIComponent(key)}`

const pathUnder = ({ task, fence }: Held, place: { run: string; key: string }): string =>
  `${pathOf(place)}?${new URLSearchParams({ task, fence })}`

/** The answer in place of a refusal that has one. */
const unless = <T>(status: number, answer: T) => {
  return (error: unknown): T => {
    if (error instanceof Refusal && error.status === status) return answer
    throw error
  }
}

/** The runner's side of what the agents of a run share, under the fence of its task. A change is made once. */
export const createStateCalls = ({ source, signal, mask, lost }: Access, held: Held): Answers => {
  const tellStale = (error: unknown): never => {
    if (error instanceof Refusal && error.code === 'STALE_FENCE') lost(error.message)
    throw error
  }
  const getState: Answers['getState'] = (argument) => {
    const request = { method: 'GET' as const, path: pathUnder(held, argument), signal }
    const answer = sendUntilAnswered(source, request) as Promise<SlotCalls['getState']['answer']>
    return answer.catch(unless(404, null)).catch(tellStale)
  }
  const putState: Answers['putState'] = ({ value, rev, ...place }) =>
    sendUntilAnswered(source, {
      method: 'PUT',
      path: pathOf(place),
      headers: { 'idempotency-key': randomUUID(), ...(rev !== undefined && { 'if-match': `"${rev}"` }) },
      body: { value: mask(value), ...held },
      signal,
    })
      .then(() => true)
      .catch(unless(412, false))
      .catch(tellStale)
  return { getState, putState }
}
