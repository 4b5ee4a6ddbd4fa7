import type { Principal } from '#shared/domain/caller.ts'
import { priorities } from '#shared/domain/tasks/task.ts'
import type { Asking, Reply } from './call-api.ts'
import { createStarter } from './flows.ts'
import { answer, type Hands, plan, retry, unplan } from './people.ts'
import { createTalker } from './talk.ts'
import { drawWish, type Wish } from './wish.ts'
import type { World } from './world.ts'

/** The key of somebody who has nothing here. */
export const strangerId = 'stranger'

type Options = {
  world: World
  send: (asking: Asking) => Promise<Reply>
  number: number
  agent: string
  isOver: () => boolean
}

const budgets = [{ tokens: 12 }, { seconds: 8 }, { children: 1 }, { tokens: 30, seconds: 60, children: 3, depth: 2 }]

type Submitted = { key: string; body: Record<string, unknown>; id?: string }

/** A program that submits, asks, cancels, and repeats itself when it got no answer, until it is over. */
export const runClient = async ({ world, send, number, agent, isOver }: Options): Promise<void> => {
  const { timeline, faults } = world
  const random = world.random.fork(`client ${number}`)
  const principal: Principal = { kind: 'key', id: `client-${number}`, role: 'admin' }
  const submitted: Submitted[] = []
  const hands: Hands = { send, sleep: timeline.sleep, now: timeline.now, random, principal, name: `c${number}` }
  const talk = createTalker(hands)
  const flow = createStarter(hands)

  const submit = async (one: Submitted): Promise<void> => {
    for (let tries = 1 + random.below(4); tries > 0; tries--) {
      const reply = await send({ principal, operation: 'submitTask', body: one.body, key: one.key })
      if (reply.status === 202) one.id = String(reply.body.id)
      if (reply.status !== 0 && reply.status < 500) return
      await timeline.sleep(random.between(50, 3000))
    }
  }
  const submitNew = (): Promise<void> => {
    const n = submitted.length
    const input = drawWish(random, { n, poison: faults.takesPoison(), far: world.callsFar })
    const runAt = random.chance(0.1) ? new Date(timeline.now() + random.between(1000, 40_000)).toISOString() : undefined
    const body = {
      ...(random.chance(0.5) ? { agent } : { capability: 'work' }),
      input,
      labels: {},
      priority: random.pick(priorities),
      timeoutSeconds: 5 + random.below(90),
      ...(runAt && { runAt }),
      ...(random.chance(0.15) && { budget: random.pick(budgets) }),
    }
    const one = { key: `c${number}-${n}`, body }
    submitted.push(one)
    return submit(one)
  }
  const old = (): Submitted | undefined => (submitted.length === 0 ? undefined : random.pick(submitted))
  const askAbout = async (operation: 'getTask' | 'cancelTask'): Promise<void> => {
    const id = old()?.id
    if (id !== undefined)
      await send({ principal, operation, params: { task: id }, query: { after: 0, limit: 50 }, body: {} })
  }
  const again = async (): Promise<void> => {
    const one = old()
    if (one) await submit(one)
  }
  const contradict = async (): Promise<void> => {
    const one = old()
    if (one?.id)
      await send({ principal, operation: 'submitTask', body: { ...one.body, labels: { other: 'body' } }, key: one.key })
  }
  /** Asks for it as somebody of another tenant. */
  const peek = async (): Promise<void> => {
    const id = old()?.id
    const stranger: Principal = { kind: 'key', id: strangerId, role: 'admin' }
    if (id) await send({ tenant: 'other', principal: stranger, operation: 'getTask', params: { task: id } })
  }
  const withOld = async (act: (hands: Hands, task: string) => Promise<void>): Promise<void> => {
    const asking = submitted.filter(({ body }) => (body.input as Wish).asks)
    const id = (act === answer && asking.length > 0 ? random.pick(asking) : old())?.id
    if (id !== undefined) await act(hands, id)
  }
  let planned: string | undefined
  const makePlan = async (): Promise<void> => {
    planned ??= await plan(hands, agent)
  }
  const habits: [number, () => Promise<void>][] = [
    [0.5, submitNew],
    [0.55, () => askAbout('getTask')],
    [0.57, peek],
    [0.64, () => askAbout('cancelTask')],
    [0.73, again],
    [0.76, contradict],
    [0.92, () => withOld(answer)],
    [0.98, () => withOld(retry)],
    [1, makePlan],
  ]
  while (!isOver()) {
    await timeline.sleep(random.chance(0.8) ? random.between(20, 2500) : random.between(2500, 12_000))
    if (isOver()) break
    if (world.talks && random.chance(0.35)) await talk()
    if (world.flows && random.chance(0.35)) await flow()
    const ticket = random.number()
    if (!isOver()) await habits.find(([below]) => ticket < below)?.[1]()
  }
  if (planned !== undefined) await unplan(hands, planned)
}
