import type { Platform, Queues, ReceiveOptions, Table } from '#shared/platform/platform.ts'
import { PlatformError } from '#shared/platform/platform-error.ts'
import { noWorkflows } from '#test/support/no-workflows.ts'
import type { SimTable } from '../engine/table.ts'
import type { World } from './world.ts'

/** One process of the platform: what was under way when it died never goes on. */
export type Process = {
  name: string
  /** The ports as the living process has them; another record after each death. */
  platform: Platform
  /** Called when it dies. */
  onDeath: Set<() => void>
  die(): void
}

type Life = { over: boolean; die: () => void }

const silent: Platform['telemetry'] = {
  log: () => undefined,
  metric: () => undefined,
  span: (_name, _attributes, work) => work(),
  flush: async () => undefined,
}

/** Makes a process; `start` is what it does after each start, besides what is asked of it. */
export const createProcess = (world: World, name: string, start: (platform: Platform) => void): Process => {
  const onDeath = new Set<() => void>()
  let life: Life
  const live = (): Platform => {
    const born: Life = { over: false, die: () => process.die() }
    life = born
    const platform = createPorts(world, born, name)
    start(platform)
    return platform
  }
  const process: Process = {
    name,
    onDeath,
    platform: undefined as unknown as Platform,
    die() {
      life.over = true
      for (const tell of [...onDeath]) tell()
      onDeath.clear()
      process.platform = live()
    },
  }
  process.platform = live()
  return process
}

const createPorts = (world: World, life: Life, name: string): Platform => {
  const { timeline, faults } = world
  const latency = world.random.fork(`latency ${name}`)
  const delay = (): number => (latency.chance(0.9) ? latency.between(0, 8) : latency.between(0, 250))

  /** Has the effect after a while, unless the process died; then, or in its stead, what the plan says. */
  const call = <T>(effect: () => T): Promise<T> =>
    new Promise((resolve, reject) => {
      const { dies, fails } = faults.nextCall()
      timeline.at(timeline.now() + delay(), () => {
        if (life.over) return false
        if (dies === 'before') return life.die()
        if (fails === 'before') return reject(new PlatformError('THROTTLED', 'the call was refused'))
        try {
          const value = effect()
          if (dies === 'after') return life.die()
          if (fails === 'after') return reject(new PlatformError('UNAVAILABLE', 'the answer of the call was lost'))
          resolve(value)
        } catch (error) {
          reject(error)
        }
      })
    })
  /** For what takes its time: it is asked after a while, and answers only to the living. */
  const wait = async <T>(ask: () => Promise<T>): Promise<T> => {
    const answer = await (await call(() => ({ promise: ask() }))).promise
    return life.over ? new Promise<T>(() => undefined) : answer
  }
  const table = (simulated: SimTable): Table => ({
    get: (key) => call(() => simulated.get(key)),
    getMany: (keys) => call(() => simulated.getMany(keys)),
    write: (write) => call(() => simulated.write(write)),
    transact: (writes) => call(() => simulated.transact(writes)),
    query: (query) => call(() => simulated.query(query)),
    queryKeys: (query) => call(() => simulated.queryKeys(query)),
    add: (key, by, bound) => call(() => simulated.add(key, by, bound)),
    waitForChange: (key, than, ms) => wait(() => simulated.waitForChange(key, than, ms)),
    scan: (part) => call(() => simulated.scan(part)),
  })
  const queues: Queues = {
    ensure: (queue) => call(() => world.queues.ensure(queue)),
    send: (queue, messages) => call(() => world.queues.send(queue, messages)),
    receive: (options: ReceiveOptions) => wait(() => world.queues.receive(options)),
    delete: (messages) => call(() => world.queues.delete(messages)),
    release: (messages) => call(() => world.queues.release(messages)),
    locate: async () => undefined,
    depth: (queue) => call(() => world.queues.depth(queue)),
    ahead: async () => undefined,
  }
  return {
    main: table(world.main),
    volatile: table(world.volatile),
    queues,
    feed: { consume: () => ({ stop: async () => undefined }) }, // the world's own projector reads it
    objects: {
      put: (key, body) => call(() => world.objects.put(key, body as Uint8Array)),
      get: (key) => call(() => world.objects.get(key)),
      stat: (key) => call(() => world.objects.stat(key)),
      delete: (key) => call(() => world.objects.delete(key)),
      presignPut: () => Promise.reject(new PlatformError('UNSUPPORTED', 'nobody uploads here')),
      presignGet: () => Promise.reject(new PlatformError('UNSUPPORTED', 'nobody downloads here')),
    },
    bus: { publish: (events) => call(() => world.publish(events)) },
    egress: { problem: async () => undefined, post: async () => ({ status: 204, body: '' }) },
    realtime: { url: () => 'ws://127.0.0.1:1', push: async () => 'GONE', close: async () => undefined },
    hosts: {
      scale: async () => undefined,
      instances: async () => [],
      drain: async () => undefined,
      stop: async () => undefined,
      protect: async () => undefined,
    },
    workflows: noWorkflows,
    telemetry: silent,
    clock: {
      now: () => timeline.now() + faults.skewOf(name),
      sleep: (ms) => new Promise((resolve) => timeline.at(timeline.now() + ms, () => (life.over ? false : resolve()))),
    },
    random: world.random.fork(`random ${name}`),
    get generation() {
      return world.generation()
    },
  }
}
