import type { Principal } from '#shared/domain/caller.ts'
import type { Seeded } from '../engine/random.ts'
import type { Asking, Reply } from './call-api.ts'
import { drawWish } from './wish.ts'

/** What somebody who uses the platform has at hand. */
export type Hands = {
  send: (asking: Asking) => Promise<Reply>
  sleep: (ms: number) => Promise<void>
  now: () => number
  random: Seeded
  principal: Principal
  /** Begins the idempotency keys. */
  name: string
}

type Waiting = { kind: string; approval?: string }

/** Looks at a task, and answers what it waits for, if it does: once or more. */
export const answer = async ({ send, random, principal, name }: Hands, task: string): Promise<void> => {
  const { body } = await send({ principal, operation: 'getTask', params: { task } })
  const waiting = body.waiting as Waiting | undefined
  if (waiting === undefined) return
  const approval = waiting.approval
  const response = { said: `${name} ${random.below(1000)}` }
  const once = (): Promise<Reply> =>
    approval === undefined
      ? send({ principal, operation: 'giveInput', params: { task }, body: { response }, key: `${name}-${task}` })
      : send({ principal, operation: verdict, params: { approval }, body: {} })
  const verdict = random.chance(0.7) ? 'approve' : 'reject'
  if ((await once()).status === 0) await once()
}

/** Asks for the same work again: hurries what backs off, makes a new task for what failed. */
export const retry = async ({ send, random, principal, name }: Hands, task: string): Promise<void> => {
  const from = random.pick(['checkpoint', 'start'])
  const once = () =>
    send({ principal, operation: 'retryTask', params: { task }, body: { from }, key: `${name}-r${random.below(3)}` })
  if ((await once()).status === 0) await once()
}

/** Makes a schedule, however often it takes; answers its id. */
export const plan = async ({ send, sleep, random, principal, name }: Hands, agent: string): Promise<string> => {
  const task = { agent, input: drawWish(random, { n: 0 }), labels: {}, timeoutSeconds: 20 }
  const rate = { everySeconds: 5 + random.below(30) }
  const overlap = random.pick(['skip', 'queue', 'cancel-previous'])
  const body = { rate, task, overlap, catchUpSeconds: random.pick([0, 300]) }
  for (;;) {
    const reply = await send({ principal, operation: 'createSchedule', body, key: `${name}-plan` })
    if (reply.status === 201) return String(reply.body.id)
    await sleep(500)
  }
}

/** Ends what was planned, however often it takes. */
export const unplan = async ({ send, sleep, principal }: Hands, schedule: string): Promise<void> => {
  for (let isThere = true; isThere; await sleep(500)) {
    const { status } = await send({ principal, operation: 'deleteSchedule', params: { schedule } })
    isThere = status === 0 || status >= 500
  }
}
