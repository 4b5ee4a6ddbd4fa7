import { expect, it } from 'vitest'
import { inTurn } from '#shared/domain/process-turns.ts'
import type { Platform, Table } from '#shared/platform/platform.ts'

const never = new Promise<never>(() => undefined)
const aClock = (sleep: () => Promise<void>): Platform['clock'] => ({ now: () => 0, sleep })
const aTable = () => ({}) as Table

it('calls about the same thing go one after the other, about others beside them, and one that fails holds up nobody', async () => {
  const ports = { main: aTable(), clock: aClock(() => never) }
  const seen: string[] = []
  const call = (key: string, name: string) =>
    inTurn(ports, key, async () => {
      seen.push(`${name} begins`)
      await Promise.resolve()
      seen.push(`${name} ends`)
      if (name === 'a1') throw new Error('broken')
      return name
    })
  const all = await Promise.allSettled([call('a', 'a1'), call('a', 'a2'), call('b', 'b1')])
  expect(all.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled'])
  expect(seen).toEqual(['a1 begins', 'b1 begins', 'a1 ends', 'b1 ends', 'a2 begins', 'a2 ends'])
})

it('goes on beside one that hangs', async () => {
  const ports = { main: aTable(), clock: aClock(() => Promise.resolve()) }
  void inTurn(ports, 'a', () => never)
  expect(await inTurn(ports, 'a', async () => 'done')).toBe('done')
})
