import { idOfKey } from '../../id-of-key.ts'
import type { Clock, Key, RunEnd, Stoppable, Telemetry, WorkflowConsumer, Write } from '../../platform.ts'
import { createAgenda } from '../agenda.ts'
import { type Letter, outboxPk } from './rows.ts'
import type { RunTable } from './run-store.ts'

type Options = { table: RunTable; clock: Clock; telemetry: Telemetry }

/** So many are with the consumer at a time, and so many wait in memory; the others wait where they are stored. */
const mostAtOnce = 1000
const mostInMemory = 10_000
const backOff = { firstMs: 500, mostMs: 60_000 }

/** What is to be told to the consumer: told until it has taken it, then forgotten. */
export const createOutbox = ({ table, clock, telemetry }: Options) => {
  const agenda = createAgenda(clock)
  const waiting: Letter[] = []
  /** All that is in memory, with the consumer or waiting. */
  const inHand = new Set<string>()
  const underWay = new Set<Promise<void>>()
  let consumer: WorkflowConsumer | undefined
  /** Some are stored that are not in memory. */
  let hasMore = true
  let reading: Promise<void> | undefined
  let told: { key: Key; done: () => void; failed: (error: unknown) => void }[] = []

  /** Deletes together what was told meanwhile. */
  const forget = (key: Key): Promise<void> =>
    new Promise((done, failed) => {
      if (told.push({ key, done, failed }) === 1) void clock.sleep(0).then(deleteTold)
    })
  const deleteTold = async (): Promise<void> => {
    const batch = told
    told = []
    try {
      await table.writeTogether(batch.map(({ key }): Write => ({ op: 'delete', key, expect: 'any' })))
      for (const { done } of batch) done()
    } catch (error) {
      for (const { failed } of batch) failed(error)
    }
  }

  const take = (letter: Letter): boolean => {
    if (inHand.has(idOfKey(letter.key))) return false
    inHand.add(idOfKey(letter.key))
    waiting.push(letter)
    return true
  }
  const hand = ({ kind, content }: Letter, to: WorkflowConsumer): Promise<void> =>
    kind === 'command' ? to.onCommand(content) : to.onEnd(content as RunEnd)

  const tell = async (letter: Letter, to: WorkflowConsumer, failures: number): Promise<void> => {
    try {
      await hand(letter, to)
      await forget(letter.key)
      inHand.delete(idOfKey(letter.key))
    } catch (error) {
      if (consumer === undefined) return void inHand.delete(idOfKey(letter.key))
      telemetry.log('error', 'a command of a workflow was not taken, and comes again', {
        error: String(error),
        failures,
      })
      const ms = Math.min(backOff.firstMs * 2 ** failures, backOff.mostMs)
      agenda.at(clock.now() + ms, () => begin(letter, failures + 1))
    }
  }
  const begin = (letter: Letter, failures = 0): void => {
    if (consumer === undefined) return void inHand.delete(idOfKey(letter.key))
    const work = tell(letter, consumer, failures).finally(() => {
      underWay.delete(work)
      pump()
    })
    underWay.add(work)
  }
  const pump = (): void => {
    while (consumer !== undefined && underWay.size < mostAtOnce) {
      const letter = waiting.shift()
      if (letter === undefined) break
      begin(letter)
    }
    if (consumer !== undefined && waiting.length === 0 && hasMore) reading ??= readOn()
  }
  const readOn = async (): Promise<void> => {
    try {
      await readStored()
    } catch (error) {
      hasMore = true
      telemetry.log('error', 'what is to be told could not be read, and is again', { error: String(error) })
      await clock.sleep(backOff.firstMs)
    }
    reading = undefined
    pump()
  }
  const readStored = async (): Promise<void> => {
    hasMore = false
    let cursor: string | undefined
    do {
      const page = await table.query({ pk: outboxPk, limit: 500, cursor })
      for (const { pk, sk, type, value } of page.items)
        take({ key: { pk, sk }, kind: type === 'end' ? 'end' : 'command', content: value })
      cursor = page.cursor
    } while (cursor !== undefined && waiting.length < mostInMemory)
    hasMore ||= cursor !== undefined
  }

  const stop = async (): Promise<void> => {
    consumer = undefined
    for (const { key } of waiting.splice(0)) inHand.delete(idOfKey(key))
    await Promise.all([...underWay, reading])
  }

  return {
    /** Tells what was just written. */
    add(letters: Letter[]): void {
      if (letters.length === 0) return
      if (consumer === undefined || waiting.length + letters.length > mostInMemory) hasMore = true
      else letters.forEach(take)
      pump()
    },
    serve(to: WorkflowConsumer): Stoppable {
      if (consumer !== undefined) throw new Error('the workflows have a consumer already')
      consumer = to
      hasMore = true
      pump()
      return { stop }
    },
    /** Ends with what is under way; what was not told comes again. */
    async close(): Promise<void> {
      agenda.close()
      await stop()
    },
  }
}
