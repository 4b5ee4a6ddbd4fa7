import { randomBytes } from 'node:crypto'
import type fc from 'fast-check'
import type { Platform, QueueMessage, Table } from '#shared/platform/platform.ts'
import { ulid } from '#shared/platform/ulid.ts'
import { createSimTable, type SimTable, type SimTableOptions } from '#test/sim/engine/table.ts'

const methods = ['get', 'getMany', 'write', 'transact', 'query', 'queryKeys', 'add'] as const

/** Ports over tables in memory, whose every call begins and ends when the scheduler says so. */
export const scheduledPorts = (
  scheduler: Pick<fc.Scheduler, 'schedule'>,
  { onCommit }: Pick<SimTableOptions, 'onCommit'> = {},
) => {
  let now = 1_800_000_000_000
  const timeline = { now: () => now, at: () => undefined } as unknown as Parameters<
    typeof createSimTable
  >[0]['timeline']
  const mint = (): string => ulid(now, (length) => randomBytes(length))
  const step = (): Promise<unknown> => scheduler.schedule(Promise.resolve())
  const later = (table: SimTable): Table => {
    const calls = methods.map((name) => [
      name,
      async (...args: unknown[]) => {
        await step()
        const answer = (table[name] as (...args: unknown[]) => unknown)(...args)
        await step()
        return answer
      },
    ])
    return Object.fromEntries(calls) as unknown as Table
  }
  const [main, volatile] = [createSimTable({ timeline, mint, onCommit }), createSimTable({ timeline, mint })]
  const sent: { queue: string; body: string; delaySeconds?: number }[] = []
  const ports = {
    main: later(main),
    volatile: later(volatile),
    clock: { now: () => now, sleep: async () => void (await step()) },
    random: { number: () => 0.5, bytes: (length: number) => randomBytes(length) },
    queues: {
      send: async (queue: string, messages: QueueMessage[]) =>
        void sent.push(...messages.map(({ body, delaySeconds }) => ({ queue, body, delaySeconds }))),
      depth: async () => ({ waiting: sent.length, inFlight: 0 }),
    },
    telemetry: { log: () => undefined, metric: () => undefined },
    generation: 1,
  } as unknown as Platform
  return {
    ports,
    main,
    volatile,
    /** What was sent to lanes and reminders, oldest first. */
    sent,
    forward(ms: number) {
      now += ms
    },
  }
}

/** Every call happens at once. */
export const atOnce = { schedule: <T>(task: Promise<T>): Promise<T> => task }
