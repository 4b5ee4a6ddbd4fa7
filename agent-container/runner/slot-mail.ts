import { createHash } from 'node:crypto'
import { type AgentContext, AgentError, type MessageTo, type SendOptions } from '../sdk/index.ts'
import type { SlotCalls, SlotTask } from './slot-messages.ts'

type Ask = <N extends 'send' | 'response' | 'receive' | 'acknowledge'>(
  name: N,
  argument: SlotCalls[N]['argument'],
) => Promise<SlotCalls[N]['answer']>

const digest = (value: unknown): string =>
  createHash('sha256')
    .update(JSON.stringify(value) ?? '')
    .digest('hex')
    .slice(0, 32)

/** What makes a message one of the run that a task is done for. */
const belonging = ({ id, fence, workflowRun }: Pick<SlotTask, 'id' | 'fence' | 'workflowRun'>) => {
  if (workflowRun !== undefined) return { kind: 'workflow', workflowRun, task: id, fence }
  throw new AgentError('this task is done for no run of a workflow: its messages belong to none', { retryable: false })
}

const requestSeconds = 60

/**
 * The handler's side of messages. Without a key of its own, one is known by its content and by how many like it came
 * before: an attempt that sends the same again sends no other.
 */
export const createMail = (
  task: Pick<SlotTask, 'id' | 'fence' | 'capability' | 'hops' | 'workflowRun'>,
  ask: Ask,
): Pick<AgentContext, 'send' | 'publish' | 'request' | 'receive'> => {
  const { hops = [] } = task
  const seen = new Map<string, number>()
  const keyOf = (body: object): string => {
    const known = digest(body)
    const before = seen.get(known) ?? 0
    seen.set(known, before + 1)
    return `${known}.${before}`
  }
  const post = async (body: object, key: string | undefined): Promise<string> =>
    (await ask('send', { key: key ?? keyOf(body), body: { ...body, ...(hops.length > 0 && { hops }) } })).id
  const send = async (
    to: MessageTo,
    type: string,
    data?: unknown,
    { key, ofRun, ...options }: SendOptions = {},
  ): Promise<string> => {
    const body = { to: typeof to === 'string' ? { agent: to } : to, type, data, ...options }
    return ofRun ? post({ ...body, ...belonging(task) }, key ?? keyOf(body)) : post(body, key)
  }

  return {
    send,
    publish: (topic, type, data, options) => send({ topic }, type, data, options),
    async request(to, type, data, { key, ...options } = {}) {
      const expiresAt = options.expiresAt ?? new Date(Date.now() + requestSeconds * 1000).toISOString()
      const whom = typeof to === 'string' ? { agent: to } : to
      const body = { kind: 'request', to: whom, type, data, ...options }
      const id = await post({ ...body, expiresAt }, key ?? keyOf(body))
      const response = await ask('response', { id })
      if (response === null) throw new AgentError(`request ${id} had no response in time`, { code: 'NO_RESPONSE' })
      return response as never
    },
    async receive({ max = 10, waitSeconds = 0, visibilitySeconds = 30 } = {}) {
      const mail = await ask('receive', { max, waitSeconds, visibilitySeconds })
      return mail.map(({ receives, message }) => ({
        ...message,
        receives,
        acknowledge: async () => void (await ask('acknowledge', { id: message.id })),
      }))
    },
  }
}
