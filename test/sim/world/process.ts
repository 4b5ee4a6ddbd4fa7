import type { RunTable } from '#shared/platform/embedded/workflows/run-store.ts'
import type { Clock, Platform, Queues, ReceiveOptions, Table, Workflows } from '#shared/platform/platform.ts'
import { PlatformError } from '#shared/platform/platform-error.ts'
import type { Seeded } from '../engine/random.ts'
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

/** The ports that a process is started with; `runs` is for the one that runs machines. */
export type Ports = { platform: Platform; runs: RunTable }

/** `random`: no life draws what another one drew. */
type Life = { over: boolean; random: Seeded; die: () => void }

const silent: Platform['telemetry'] = {
  log: () => undefined,
  metric: () => undefined,
  span: (_name, _attributes, work) => work(),
  flush: async () => undefined,
}

/** Makes a process; `start` is what it does after each start, besides what is asked of it. */
export const createProcess = (world: World, name: string, start: (ports: Ports) => void): Process => {
  const onDeath = new Set<() => void>()
  let life: Life
  let lives = 0
  const live = (): Platform => {
    const born: Life = { over: false, random: world.random.fork(`${name} ${++lives}`), die: () => process.die() }
    life = born
    const ports = createPorts(world, born, name)
    start(ports)
    return ports.platform
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

const createPorts = (world: World, life: Life, name: string): Ports => {
  const { timeline, faults } = world
  const latency = life.random.fork('latency')
  const delay = (): number => (latency.chance(0.9) ? latency.between(0, 8) : latency.between(0, 250))

  /** Has the effect after a while, unless the process died; then, or in its stead, what the plan says. */
  const call = <T>(effect: () => T, whenLost: 'fail' | 'die' = 'fail'): Promise<T> =>
    new Promise((resolve, reject) => {
      const { dies, fails } = faults.nextCall()
      timeline.at(timeline.now() + delay(), () => {
        if (life.over) return false
        if (dies === 'before') return life.die()
        if (fails === 'before') return reject(new PlatformError('THROTTLED', 'the call was refused'))
        try {
          const value = effect()
          if (dies === 'after' || (fails === 'after' && whenLost === 'die')) return life.die()
          if (fails === 'after') return reject(new PlatformError('UNAVAILABLE', 'the answer of the call was lost'))
          resolve(value)
        } catch (error) {
          reject(error)
        }
      })
    })
  /** For what takes its time: it is asked after a while, and answers only to the living. */
  const wait = async <T>(ask: () => Promise<T>): Promise<T> => {
    const asked = await call(() => {
      const promise = ask().then(
        (value) => () => value,
        (error: unknown) => (): T => {
          throw error
        },
      )
      return { promise }
    })
    const answer = await asked.promise
    return life.over ? new Promise<T>(() => undefined) : answer()
  }
  const runs: RunTable = {
    get: (key) => call(() => world.runs.get(key)),
    getMany: (keys) => call(() => world.runs.getMany(keys)),
    query: (query) => call(() => world.runs.query(query)),
    queryKeys: (query) => call(() => world.runs.queryKeys(query)),
    /** In its own process: it dies with what it does not know. */
    writeTogether: (writes) => call(() => world.runs.writeTogether(writes), 'die'),
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
  const platform: Platform = {
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
    workflows: workflowsOf(world, wait),
    telemetry: silent,
    clock: {
      now: () => timeline.now() + faults.skewOf(name),
      sleep: sleepOf(world, life),
    },
    random: life.random.fork('ports'),
    get generation() {
      return world.generation()
    },
  }
  return { platform, runs }
}

const sleepOf =
  ({ timeline }: World, life: Life): Clock['sleep'] =>
  (ms, signal) =>
    new Promise((resolve, reject) => {
      signal?.addEventListener('abort', reject)
      timeline.at(timeline.now() + ms, () => (life.over || signal?.aborted ? false : resolve()))
    })

type Wait = <T>(ask: () => Promise<T>) => Promise<T>

/** The machines are run by a process of their own; each call to it takes its time, and may be lost. */
const workflowsOf = ({ machines }: World, wait: Wait): Workflows => {
  const ask = <T>(work: (workflows: Workflows) => Promise<T>): Promise<T> => wait(() => machines.ask(work))
  return {
    deploy: (definition) => ask((workflows) => workflows.deploy(definition)),
    start: (run) => ask((workflows) => workflows.start(run)),
    stop: (run, failure) => ask((workflows) => workflows.stop(run, failure)),
    describe: (run) => ask((workflows) => workflows.describe(run)),
    history: (run, page) => ask((workflows) => workflows.history(run, page)),
    eventsAfter: (run, after, options) => ask((workflows) => workflows.eventsAfter(run, after, options)),
    succeed: (token, output) => wait(() => machines.answer(token, (workflows) => workflows.succeed(token, output))),
    fail: (token, failure) => wait(() => machines.answer(token, (workflows) => workflows.fail(token, failure))),
    heartbeat: (token) => ask((workflows) => workflows.heartbeat(token)),
    redrive: (run) => ask((workflows) => workflows.redrive(run)),
  }
}
