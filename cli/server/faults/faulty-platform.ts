import type { ChangeFeed, Platform, QueueMessage } from '#shared/platform/platform.ts'
import { PlatformError } from '#shared/platform/platform-error.ts'
import type { Dice } from './dice.ts'
import { type FaultRule, portCalls } from './plan.ts'

export type FaultTools = {
  sleep: (ms: number) => Promise<void>
  /** Ends the process at once, as `kill -9` does; it never returns to a living one. */
  crash: () => Promise<never>
}

const find = (rules: FaultRule[], fault: FaultRule['fault'], when?: FaultRule['when']): FaultRule | undefined =>
  rules.find((rule) => rule.fault === fault && (when === undefined || (rule.when ?? 'before') === when))

/** Does some work as the rules say: late, not at all, or without a word about it. */
export const underFaults = async <T>(
  place: string,
  rules: FaultRule[],
  tools: FaultTools,
  work: () => Promise<T>,
): Promise<T> => {
  const delay = find(rules, 'delay')
  if (delay) await tools.sleep(delay.ms ?? 100)
  if (find(rules, 'crash', 'before')) await tools.crash()
  if (find(rules, 'throttle')) throw new PlatformError('THROTTLED', `${place} was throttled by the fault plan`)
  const value = await work()
  if (find(rules, 'crash', 'after')) await tools.crash()
  if (find(rules, 'drop-answer'))
    throw new PlatformError('UNAVAILABLE', `the answer of ${place} was dropped by the fault plan`)
  return value
}

type Method = (...args: unknown[]) => Promise<unknown>

/** What a rule calls a method: to put once is to put. */
const placeOf = (name: string, method: string): string => `${name}.${method.replace(/Once$/, '')}`

const isFaulty = (place: string): boolean =>
  portCalls.includes(place) && place !== 'feed.consume' && place !== 'queues.send'

/** A port whose calls go wrong as the dice say. */
const faulty = <P extends object>(name: string, port: P, dice: Dice, tools: FaultTools): P => {
  const wrapped = Object.entries(port as Record<string, Method>).map(([method, call]) => {
    const place = placeOf(name, method)
    const fails: Method = (...args) => underFaults(place, dice.roll(place), tools, () => call(...args))
    return [method, isFaulty(place) ? fails : call]
  })
  return { ...port, ...Object.fromEntries(wrapped) }
}

/** The same platform, on which the ports fail as a plan says. */
export const withFaults = <P extends Platform>(platform: P, dice: Dice, tools: FaultTools): P => {
  const { queues, feed } = platform
  const send = async (queue: string, messages: QueueMessage[]): Promise<void> => {
    const rules = dice.roll('queues.send')
    await underFaults('queues.send', rules, tools, async () => {
      if (find(rules, 'lose-message')) return
      await queues.send(queue, messages)
      if (find(rules, 'duplicate'))
        await queues.send(
          queue,
          messages.map((message) => ({ ...message, delaySeconds: (message.delaySeconds ?? 0) + 0.01 })),
        )
    })
  }
  const consume: ChangeFeed['consume'] = (consumer, handle, only) =>
    feed.consume(
      consumer,
      async (batch) => {
        const failed = await handle(batch)
        return find(dice.roll('feed.consume'), 'feed-redeliver') ? handle(batch) : failed
      },
      only,
    )
  return {
    ...platform,
    main: faulty('main', platform.main, dice, tools),
    volatile: faulty('volatile', platform.volatile, dice, tools),
    objects: faulty('objects', platform.objects, dice, tools),
    bus: faulty('bus', platform.bus, dice, tools),
    queues: { ...faulty('queues', queues, dice, tools), send },
    feed: { ...feed, consume },
  }
}
