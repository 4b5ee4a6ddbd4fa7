import { setTimeout as sleep } from 'node:timers/promises'
import type { MessageResponse } from '#shared/contracts/messages.ts'
import { sendUntilAnswered } from './platform-client.ts'
import type { SlotCalls } from './slot-messages.ts'
import type { Sender } from './task-source.ts'

type Access = { source: Sender; signal: AbortSignal; agent: string }
type Names = 'send' | 'response' | 'receive' | 'acknowledge'
type Answers = { [N in Names]: (argument: SlotCalls[N]['argument']) => Promise<SlotCalls[N]['answer']> }

const holdSeconds = 20
/** Between two looks where the platform does not hold an answer. */
const pauseMs = 500

/** The runner's side of messages: what a slot asks for, under the instance's own token. */
export const createMailCalls = ({ source, signal, agent }: Access, task: string): Answers => {
  const mailbox = `/mailboxes/${agent}`
  const get = (path: string, seconds: number): Promise<unknown> =>
    sendUntilAnswered(source, { method: 'GET', path, headers: { prefer: `wait=${seconds}` }, signal })
  const untilAnswered = async (id: string): Promise<string | undefined> => {
    for (;;) {
      const began = performance.now()
      const { response, expiresAt = '' } = (await get(`/messages/${id}`, holdSeconds)) as MessageResponse
      if (response) return response.id
      if (Date.parse(expiresAt) <= Date.now()) return undefined
      if (performance.now() - began < 1000) await sleep(pauseMs, undefined, { signal })
    }
  }
  return {
    async send({ key, body }) {
      const headers = { 'idempotency-key': `${task}/${key}` }
      const sent = await sendUntilAnswered(source, { method: 'POST', path: '/messages', headers, body, signal })
      return { id: (sent as MessageResponse).id }
    },
    async response({ id }) {
      const response = await untilAnswered(id)
      return response === undefined ? null : ((await get(`/messages/${response}`, 0)) as MessageResponse)
    },
    async receive({ max, waitSeconds, visibilitySeconds }) {
      const path = `${mailbox}/messages?max=${max}&visibilitySeconds=${visibilitySeconds}`
      return ((await get(path, Math.min(waitSeconds, holdSeconds))) as { items: SlotCalls['receive']['answer'] }).items
    },
    async acknowledge({ id }) {
      await sendUntilAnswered(source, { method: 'POST', path: `${mailbox}/ack`, body: { ids: [id] }, signal })
      return null
    },
  }
}
