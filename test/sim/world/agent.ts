import type { LeasedTask } from '#shared/contracts/worker.ts'
import type { Principal } from '#shared/domain/caller.ts'
import { laneQueues } from '#shared/domain/dispatch/lanes.ts'
import type { Received } from '#shared/platform/platform.ts'
import type { Seeded } from '../engine/random.ts'
import type { Asking, Reply } from './call-api.ts'
import { readMail } from './mail.ts'
import type { Wish } from './wish.ts'
import type { World } from './world.ts'

type Life = { over: boolean }
type Held = { fence: string; gone: boolean }
type Send = (asking: Asking) => Promise<Reply>

export type Agent = { kill(): void; pause(ms: number): void }

type Options = {
  world: World
  send: Send
  number: number
  agent: { id: string; version: string }
  slots: number
  /** Receives ids from its queues by itself, and claims them. */
  direct: boolean
}

const beatMs = 10_000
const restartMs = 1500

/** An agent's process as others write it: joins, leases, works, reports; honest, as long as it hears the platform. */
export const startAgent = ({ world, send, number, agent, slots, direct }: Options): Agent => {
  const { timeline, faults } = world
  const random = world.random.fork(`agent ${number}`)
  const drift = random.between(0.8, 1.2)
  let life: Life = { over: false }
  let lives = 0
  let pausedUntil = 0

  const whenAwake = (mine: Life, act: () => void): void => {
    if (mine.over) return
    if (timeline.now() < pausedUntil) timeline.at(pausedUntil, () => whenAwake(mine, act))
    else act()
  }
  /** What comes to a process that stands still waits; to a dead one it never comes. */
  const arrives = <T>(mine: Life, promise: Promise<T>): Promise<T> =>
    new Promise((resolve) => void promise.then((value) => whenAwake(mine, () => resolve(value))))

  const live = (): void => {
    const mine: Life = { over: false }
    life = mine
    const sleep = (ms: number) => arrives(mine, timeline.sleep(ms * drift))
    const isLost = (back: boolean): boolean => faults.isCutOff(number, back)
    const call: Send = (asking) => arrives(mine, send({ isLost, ...asking }))
    const kill = (): void => {
      if (!mine.over) die()
    }
    const receive = (max: number) =>
      arrives(mine, world.queues.receive({ queues: queuesOf(agent), max, waitSeconds: 20, visibilitySeconds: 60 }))
    void work({
      world,
      random,
      slots,
      call,
      sleep,
      kill,
      name: `agent-${number}-${++lives}`,
      agent: agent.id,
      receive: direct ? receive : undefined,
      slow: () => faults.slowness(number),
    })
  }
  const die = (): void => {
    life.over = true
    timeline.at(timeline.now() + restartMs, live)
  }
  live()
  return {
    kill: () => {
      if (!life.over) die()
    },
    pause(ms) {
      pausedUntil = Math.max(pausedUntil, timeline.now() + ms)
    },
  }
}

const queuesOf = (agent: { id: string; version: string }): string[] =>
  laneQueues('default', { agent: agent.id, version: agent.version }).map(({ queue }) => queue)

type Working = {
  world: World
  random: Seeded
  slots: number
  call: Send
  sleep: (ms: number) => Promise<void>
  kill: () => void
  name: string
  agent: string
  receive?: (max: number) => Promise<Received[]>
  slow: () => number
}

/** Repeats what may have happened or not; in the end somebody else does it. */
const persistently = async (
  { sleep, random }: Pick<Working, 'sleep' | 'random'>,
  attempt: () => Promise<Reply>,
  tries = 6,
): Promise<Reply> => {
  for (let round = 1; ; round++) {
    const reply = await attempt()
    if (round === tries || (reply.status !== 0 && reply.status < 500)) return reply
    await sleep(random.between(100, 400 * 2 ** round))
  }
}

const work = async (working: Working): Promise<void> => {
  const { call, name, agent, slots } = working
  const joined = await persistently(
    working,
    () =>
      call({
        principal: { kind: 'key', id: 'agents', role: 'agent' },
        operation: 'joinInstance',
        body: { agent, slots, labels: {} },
        key: name,
      }),
    50,
  )
  const instance = String(joined.body.instanceId)
  const held = new Map<string, Held>()
  const free = { wake: (): void => undefined }
  const principal: Principal = { kind: 'instance', id: instance }
  const ask = (
    operation: Asking['operation'],
    body: Record<string, unknown>,
    more: Partial<Asking> = {},
  ): Promise<Reply> => call({ principal, operation, params: { instance }, query: { wait: 20 }, body, ...more })
  const { world, random, sleep } = working
  if (world.talks)
    void readMail({
      agent: 'worker',
      random,
      sleep,
      ask: (operation, { body = {}, query = {}, ...more }) => ask(operation, body, { query, ...more }),
    })
  await Promise.all([beats({ ...working, ask, held, free }), leases({ ...working, ask, held, free })])
}

type Joined = Working & {
  ask: (operation: Asking['operation'], body: Record<string, unknown>, more?: Partial<Asking>) => Promise<Reply>
  held: Map<string, Held>
  /** Called when a slot is free again. */
  free: { wake: () => void }
}

/** Gone from the platform's records: a new process joins anew. */
const isForgotten = ({ status }: Reply): boolean => status === 404

const beats = async ({ ask, held, sleep, kill }: Joined): Promise<void> => {
  for (;;) {
    await sleep(beatMs)
    const running = [...held].filter(([, { gone }]) => !gone).map(([taskId, { fence }]) => ({ taskId, fence }))
    const reply = await ask('heartbeat', { running })
    if (isForgotten(reply)) return kill()
    const { lost = [], cancel = [] } = reply.body as { lost?: string[]; cancel?: string[] }
    for (const id of [...lost, ...cancel]) {
      const one = held.get(id)
      if (one) one.gone = true
    }
  }
}

const leases = async (joined: Joined): Promise<void> => {
  const { ask, held, sleep, kill, slots, receive, world } = joined
  for (;;) {
    const max = slots - held.size
    if (max <= 0) {
      await new Promise<void>((resolve) => {
        joined.free.wake = resolve
      })
      continue
    }
    const received = await receive?.(max)
    if (received?.length === 0) continue
    const reply = await ask('leaseTasks', received ? { taskIds: received.map(({ body }) => body) } : { max })
    if (isForgotten(reply)) return kill()
    const tasks = (reply.body.tasks ?? []) as LeasedTask[]
    if (received) settle(world, received, reply)
    if (tasks.length === 0) await sleep(reply.status === 200 ? 50 : 500)
    for (const task of tasks) {
      held.set(task.taskId, { fence: task.fence, gone: false })
      void run(joined, task, held.get(task.taskId) as Held)
    }
  }
}

/** What it got, or will never get, is done with; what it may get later goes back, as does everything without an answer. */
const settle = ({ queues }: World, received: Received[], { status, body }: Reply): void => {
  const got = new Set(((body.tasks ?? []) as LeasedTask[]).map(({ taskId }) => taskId))
  const later = status !== 200 || body.retryAfterSeconds !== undefined
  queues.delete(received.filter((message) => !later || got.has(message.body)))
  queues.release(received.filter((message) => later && !got.has(message.body)))
}

/** A message that was handled by a task says it in its data. */
const wishOf = (input: unknown): Wish => {
  const { specversion, data } = input as { specversion?: string; data?: unknown }
  return (specversion === undefined ? input : data) as Wish
}

/** Does one task as its input says, unless it is told to stop. */
const run = async (joined: Joined, { taskId, fence, input, resume }: LeasedTask, mine: Held): Promise<void> => {
  const { sleep, kill, held, slow } = joined
  const wish = wishOf(input)
  await sleep((wish.ms / 2) * slow())
  if (wish.poison) return kill()
  if (wish.calls && !mine.gone) await callAnother(joined, taskId, wish)
  if (wish.reports && !mine.gone) await report(joined, taskId, fence, wish)
  const waits = wish.asks !== undefined && resume === undefined
  if (!waits) await sleep((wish.ms / 2) * slow())
  if (!mine.gone) await (waits ? wait(joined, taskId, fence, wish) : end(joined, taskId, fence, wish))
  if (held.get(taskId) === mine) held.delete(taskId)
  joined.free.wake()
}

/** Lets the task wait for people; its answer may come, or not. */
const wait = async (joined: Joined, task: string, fence: string, { asks: kind }: Wish): Promise<void> => {
  const expiresInSeconds = 10 + joined.random.below(110)
  const body = { fence, kind, prompt: 'well?', checkpoint: { at: fence }, expiresInSeconds }
  await persistently(joined, () => joined.ask('waitTask', body, { params: { task } }))
}

const farMs = 3 * 3_600_000

/** Each attempt calls the same task. */
const callAnother = async (joined: Joined, task: string, { n, calls }: Wish): Promise<void> => {
  const input: Wish = { n, ms: 500, fails: 0, reports: 0, big: 10 }
  const runAt = calls === 'far' ? new Date(joined.world.timeline.start + farMs).toISOString() : undefined
  const body = { capability: 'work', input, labels: {}, parent: task, timeoutSeconds: 30, ...(runAt && { runAt }) }
  await persistently(joined, () => joined.ask('submitTask', body, { params: {}, query: {}, key: `${task}-child` }), 3)
}

const report = async (joined: Joined, task: string, fence: string, { reports }: Wish): Promise<void> => {
  const body = {
    fence,
    percent: 50,
    message: 'half',
    output: reports > 1 ? [{ chunk: 'a' }, { chunk: 'b' }] : [],
    checkpoint: { at: fence, text: 'x'.repeat(reports * 300) },
  }
  await persistently(joined, () => joined.ask('reportProgress', body, { params: { task }, key: `${task}-${fence}` }), 3)
}

const end = async (joined: Joined, task: string, fence: string, { fails, big, uses }: Wish): Promise<void> => {
  const failure = fails > 0 && joined.random.chance(fails)
  const result = { by: fence, text: 'x'.repeat(big) }
  const completion = { fence, result, ...(uses !== undefined && { usage: { tokens: uses } }) }
  const once = (): Promise<Reply> =>
    failure
      ? joined.ask(
          'failTask',
          { fence, code: 'AGENT_ERROR', message: 'as it was told', retryable: true },
          { params: { task } },
        )
      : joined.ask('completeTask', completion, { params: { task } })
  if (joined.world.faults.doubles()) void once()
  await persistently(joined, once)
}
