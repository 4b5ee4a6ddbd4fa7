import { afterAll, beforeAll, describe, expect } from 'vitest'
import type { Realtime } from '#shared/platform/platform.ts'
import { eventually } from '#test/support/eventually.ts'
import { type Cannot, contractTest } from './contract-test.ts'

export type OpenSocket = {
  id: string
  /** What the client has received. */
  received: () => string[]
  /** The client goes away. */
  hangUp: () => Promise<void> | void
  /** Why it was ended by the other side; `undefined` while it is open. */
  ended: () => { code?: number; reason?: string } | undefined
}

export type RealtimeUnderTest = { realtime: Realtime; open: () => Promise<OpenSocket>; close: () => Promise<void> }

/** What `Realtime` promises. */
export const realtimeContract = (
  name: string,
  make: () => Promise<RealtimeUnderTest>,
  { cannot }: { cannot?: Cannot } = {},
): void => {
  describe(`realtime: ${name}`, () => {
    const it = contractTest(cannot)
    const context: { made?: RealtimeUnderTest } = {}
    const made = (): RealtimeUnderTest => {
      if (context.made === undefined) throw new Error('it is made before the tests run')
      return context.made
    }
    beforeAll(async () => {
      context.made = await make()
    })
    afterAll(() => context.made?.close())

    it('says where clients connect', async () => {
      expect(made().realtime.url('devcycle.example.com')).toMatch(/^wss?:\/\/\S+$/)
    })

    it('pushes text to the connection it is for, whole and in order', async () => {
      const [one, other] = [await made().open(), await made().open()]
      const texts = Array.from({ length: 50 }, (_, at) => JSON.stringify({ at, text: 'größer 🙂' }))
      for (const text of texts) expect(await made().realtime.push(one.id, text)).toBe('SENT')
      await eventually(() => expect(one.received()).toEqual(texts))
      expect(other.received()).toEqual([])
    })

    it('carries a text of 100 KB', async () => {
      const socket = await made().open()
      const text = 'x'.repeat(100_000)
      expect(await made().realtime.push(socket.id, text)).toBe('SENT')
      await eventually(() => expect(socket.received()).toEqual([text]))
    })

    it('says that nobody is there any more, or never was', async () => {
      const socket = await made().open()
      await socket.hangUp()
      await eventually(async () => expect(await made().realtime.push(socket.id, 'x')).toBe('GONE'))
      expect(await made().realtime.push('con_unknown', 'x')).toBe('GONE')
    })

    it('ends a connection after what was sent, and takes one that is gone for ended', async () => {
      const { realtime, open } = made()
      const socket = await open()
      await realtime.push(socket.id, 'last')
      for (const _ of [1, 2]) await realtime.close(socket.id, { code: 1013, reason: 'try again later' })
      await eventually(() => expect(socket.ended()).toBeDefined())
      expect(socket.received()).toEqual(['last'])
      expect(await realtime.push(socket.id, 'x')).toBe('GONE')
      await realtime.close('con_unknown', { code: 1000, reason: '' })
    })

    it('tells why it ended a connection', async () => {
      const { realtime, open } = made()
      const socket = await open()
      await realtime.close(socket.id, { code: 1013, reason: 'try again later' })
      await eventually(() => expect(socket.ended()).toEqual({ code: 1013, reason: 'try again later' }))
    })
  })
}
