import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkInput } from '#functions/api/check-input.ts'
import { getAgent } from '#shared/domain/agents/agent-store.ts'
import { decommissionAgent } from '#shared/domain/agents/change-agent.ts'
import { registerAgent } from '#shared/domain/agents/register-agent.ts'
import type { Caller } from '#shared/domain/caller.ts'
import { type Inbox, isForTask, type Letter } from '#shared/domain/inboxes/letter.ts'
import { countLetters, lettersOf, listDeadLetters, listOpenLetters } from '#shared/domain/inboxes/letter-store.ts'
import { receiveLetters } from '#shared/domain/inboxes/receive-letters.ts'
import { acknowledgeMessages } from '#shared/domain/messages/acknowledge-mailbox.ts'
import { attendMailbox } from '#shared/domain/messages/attend-mailbox.ts'
import { attendMessage } from '#shared/domain/messages/attend-message.ts'
import { deliverMessage } from '#shared/domain/messages/deliver-message.ts'
import { handOverMail } from '#shared/domain/messages/hand-over-mail.ts'
import { handleLetter } from '#shared/domain/messages/handle-letter.ts'
import { mailboxOf } from '#shared/domain/messages/mailbox.ts'
import { findMessage } from '#shared/domain/messages/message-store.ts'
import { respond } from '#shared/domain/messages/respond.ts'
import { type SendCommand, sendMessage } from '#shared/domain/messages/send-message.ts'
import { listTasks } from '#shared/domain/tasks/list-tasks.ts'
import type { Platform } from '#shared/platform/platform.ts'
import { deathsAmong, dying } from '#test/support/dying-platform.ts'
import { aPlatform } from '#test/support/embedded.ts'
import { aCarrier } from '#test/support/letters.ts'
import { aSkewedClock } from '#test/support/skewed-clock.ts'

const caller: Caller = { tenant: 'default', principal: { kind: 'key', id: 'k', role: 'admin' }, requestId: 'r' }
const clock = aSkewedClock()
let opened: Awaited<ReturnType<typeof aPlatform>>
let platform: Platform
beforeAll(async () => {
  opened = await aPlatform(undefined, clock)
  platform = opened.platform
})
afterAll(() => opened.close())

let names = 0
const anAgent = async (more: { name?: string; label?: string; handles?: string } = {}) => {
  const { name = `agent-${++names}` } = more
  const agent = await registerAgent(platform, caller, {
    name,
    type: 'test',
    version: '1.0.0',
    capabilities: [],
    configuration: {},
    labels: { cast: more.label ?? 'none' },
    ...(more.handles && { messages: [{ type: more.handles }] }),
  })
  return { name, inbox: mailboxOf(agent) }
}
const aMessage = (more: Partial<SendCommand>): SendCommand => ({
  kind: 'event',
  to: { agent: 'nobody' },
  type: 'note.left',
  data: { big: 'x'.repeat(1000) },
  passed: [],
  ...more,
})
const about = ({ last, stored }: { last: number; stored: boolean }): string =>
  `death at write ${last}, ${stored ? 'stored' : 'not stored'}`

/** What the sweep does for a message until nothing is due. */
const attend = async (id: string): Promise<void> => {
  for (let look = 0; look < 3; look++) {
    clock.forward(31_000)
    await attendMessage(platform, 'default', id)
  }
}
/** Everything that can be received there, acknowledged. */
const drain = async (inbox: Inbox) => {
  const got = await receiveLetters(platform, inbox, { max: 50, waitMs: 0 })
  await acknowledgeMessages(
    platform,
    inbox,
    got.map(({ event }) => event.id),
  )
  return got.map(({ event }) => event)
}

describe('what breaks off at any write loses and doubles nothing:', () => {
  it('a message to a mailbox, sent again under its key', async () => {
    for (const death of deathsAmong(3)) {
      const { name: agent, inbox } = await anAgent()
      const message = aMessage({ to: { agent }, conversation: 'c', idempotencyKey: agent })
      await sendMessage(dying(platform, death.last, death.stored), caller, message).catch(() => undefined)
      const { id } = await sendMessage(platform, caller, message)
      await sendMessage(platform, caller, message)
      expect(
        (await drain(inbox)).map((event) => event.id),
        about(death),
      ).toEqual([id])
      expect(await countLetters(platform, inbox), about(death)).toEqual({ waiting: 0, inFlight: 0, dead: 0 })
    }
  })

  it('a message of a conversation between two others', async () => {
    for (const death of deathsAmong(3)) {
      const { name: agent, inbox } = await anAgent()
      const nth = (n: number) => aMessage({ to: { agent }, data: n, conversation: 'c', idempotencyKey: `${agent}${n}` })
      await sendMessage(platform, caller, nth(1))
      await sendMessage(dying(platform, death.last, death.stored), caller, nth(2)).catch(() => undefined)
      await sendMessage(platform, caller, nth(2))
      await sendMessage(platform, caller, nth(3))
      const seen: unknown[] = []
      for (let turn = 0; turn < 4; turn++) seen.push(...(await drain(inbox)).map(({ data }) => data))
      expect(seen, about(death)).toEqual([1, 2, 3])
    }
  })

  it('the acknowledgement of a message, whose successor has its turn once', async () => {
    for (const death of deathsAmong(2)) {
      const { name: agent, inbox } = await anAgent()
      for (const n of [1, 2])
        await sendMessage(platform, caller, aMessage({ to: { agent }, data: n, conversation: 'c' }))
      const [first] = await receiveLetters(platform, inbox, { max: 10, waitMs: 0 })
      const ids = [first?.event.id ?? '']
      await acknowledgeMessages(dying(platform, death.last, death.stored), inbox, ids).catch(() => undefined)
      await acknowledgeMessages(platform, inbox, ids)
      expect(
        (await drain(inbox)).map(({ data }) => data),
        about(death),
      ).toEqual([2])
      clock.forward(31_000)
      expect(await drain(inbox), about(death)).toEqual([])
    }
  })

  it('a broadcast, which comes to every agent once', async () => {
    for (const death of deathsAmong(10)) {
      const label = `cast-${death.last}-${death.stored}`
      const agents = [await anAgent({ label }), await anAgent({ label }), await anAgent({ label })]
      const filter = { labels: { cast: label } }
      const wish = aMessage({ kind: 'broadcast', to: { filter }, idempotencyKey: label })
      const weak = dying(platform, death.last, death.stored)
      const sent = await sendMessage(weak, caller, wish).catch(() => undefined)
      if (sent) await attendMessage(weak, 'default', sent.id).catch(() => undefined)
      const { id } = await sendMessage(platform, caller, wish)
      await attend(id)
      expect((await findMessage(platform, 'default', id))?.value, about(death)).toMatchObject({
        state: 'SENT',
        spread: { recipients: 3 },
      })
      for (const { inbox } of agents)
        expect(
          (await drain(inbox)).map((event) => event.id),
          about(death),
        ).toEqual([id])
      const letters = await lettersOf(platform, { tenant: 'default', message: id, limit: 50 })
      expect(letters.items, about(death)).toHaveLength(3)
    }
  })

  it('a response, which is recorded once and comes to the mailbox that it was asked for in', async () => {
    for (const death of deathsAmong(6)) {
      const [asked, asking] = [await anAgent(), await anAgent()]
      const wish = aMessage({ kind: 'request', to: { agent: asked.name }, replyTo: asking.name })
      const request = await sendMessage(platform, caller, wish)
      const answer = { data: { big: 'y'.repeat(1000) } }
      const weak = dying(platform, death.last, death.stored)
      await respond(weak, caller, request.id, answer).catch(() => undefined)
      const response = await respond(platform, caller, request.id, answer)
      await attend(response.id)
      const got = await drain(asking.inbox)
      expect(
        got.map(({ id, correlationid }) => [id, correlationid]),
        about(death),
      ).toEqual([[response.id, request.id]])
      await expect(respond(platform, caller, request.id, { data: 2 })).rejects.toMatchObject({
        code: 'ALREADY_ANSWERED',
      })
    }
  })

  it('a response whose sender died for good after it was stored', async () => {
    for (const death of deathsAmong(6).filter(({ stored, last }) => stored || last > 1)) {
      const [asked, asking] = [await anAgent(), await anAgent()]
      const wish = aMessage({ kind: 'request', to: { agent: asked.name }, replyTo: asking.name })
      const request = await sendMessage(platform, caller, wish)
      const weak = dying(platform, death.last, death.stored)
      await respond(weak, caller, request.id, { data: 1 }).catch(() => undefined)
      const response = (await findMessage(platform, 'default', request.id))?.value.response
      await attend(response?.id ?? '')
      expect(
        (await drain(asking.inbox)).map(({ id }) => id),
        about(death),
      ).toEqual([response?.id])
    }
  })

  it('the end of an agent, whose mail is dead letters and whose requests are answered, also what came after it', async () => {
    for (const death of deathsAmong(12)) {
      const { name, inbox } = await anAgent()
      for (const n of [1, 2, 3])
        await sendMessage(platform, caller, aMessage({ to: { agent: name }, data: n, conversation: 'c' }))
      const request = await sendMessage(platform, caller, aMessage({ kind: 'request', to: { agent: name } }))
      const weak = dying(platform, death.last, death.stored)
      const end = async (ports: Platform) => {
        await decommissionAgent(ports, caller, inbox.id)
        await attendMailbox(ports, 'default', inbox.id)
      }
      await end(weak).catch(() => undefined)
      await end(platform)
      clock.forward(61_000)
      await deliverMessage(platform, aCarrier(platform), inbox)
      await attendMailbox(platform, 'default', inbox.id)
      expect(await countLetters(platform, inbox), about(death)).toEqual({ waiting: 0, inFlight: 0, dead: 5 })
      const { response } = (await findMessage(platform, 'default', request.id))?.value ?? {}
      expect((await findMessage(platform, 'default', response?.id ?? ''))?.value.envelope.type).toBe('note.left.failed')
      const { value: agent } = await getAgent(platform, 'default', inbox.id)
      expect(agent.dueAt, about(death)).toBeUndefined()
    }
  })

  it('mail that the next agent of a name gets of the one before, once', async () => {
    for (const death of deathsAmong(3)) {
      const { name, inbox } = await anAgent()
      const { id } = await sendMessage(platform, caller, aMessage({ to: { agent: name } }))
      await decommissionAgent(platform, caller, name)
      await attendMailbox(platform, 'default', inbox.id)
      const { value: gone } = await getAgent(platform, 'default', inbox.id)
      const { inbox: next } = await anAgent({ name })
      await handOverMail(dying(platform, death.last, death.stored), gone, undefined).catch(() => undefined)
      await handOverMail(platform, gone, undefined)
      expect(await handOverMail(platform, gone, [id]), about(death)).toBe(0)
      expect((await listDeadLetters(platform, inbox, { limit: 1 })).items, about(death)).toEqual([])
      expect(
        (await drain(next)).map((event) => event.id),
        about(death),
      ).toEqual([id])
    }
  })

  it('the task of a message with a handler, of which there is one', async () => {
    for (const death of deathsAmong(5)) {
      const { name: agent, inbox } = await anAgent({ handles: 'note.left' })
      await sendMessage(platform, caller, aMessage({ to: { agent } }))
      const [found] = (await listOpenLetters(platform, inbox, { limit: 1 })).items
      const letter = found?.value as Letter
      expect(isForTask(letter)).toBe(true)
      const weak = dying(platform, death.last, death.stored)
      await handleLetter(weak, letter, checkInput).catch(() => undefined)
      for (const _ of [1, 2]) await handleLetter(platform, letter, checkInput)
      const { items } = await listTasks(platform, 'default', { filter: { agent, labels: [] }, limit: 10 })
      expect(items, about(death)).toHaveLength(1)
    }
  })
})
