import type { Finding } from '#cli/server/faults/check/history.ts'
import type { Principal } from '#shared/domain/caller.ts'
import { rebuildQueues, renewAfterOutage } from '#shared/domain/dispatch/rebuild-queues.ts'
import { checkWorld } from '../check/check-world.ts'
import { createSeeded } from '../engine/random.ts'
import { type Agent, startAgent } from './agent.ts'
import { type Asking, callApi, type Reply } from './call-api.ts'
import { runClient } from './client.ts'
import { drawPlan, type Fault, type FaultPlan } from './faults.ts'
import { dueLoop, projectLoop, sweepLoop } from './loops.ts'
import { readMail } from './mail.ts'
import { createProcess, type Ports, type Process } from './process.ts'
import { machinesLoop } from './run-machines.ts'
import { setUp } from './set-up.ts'
import { createWorld, type Sabotage, type World } from './world.ts'

export type Run = {
  seed: number
  steps: number
  plan: FaultPlan
  /** Those of the plan that came to pass. */
  fired: Fault[]
  findings: Finding[]
  world: World
  portCalls: number
}

/** How long, after the last fault, everything may take to come to its end. */
export const patienceMs = 40 * 60_000
const agents = 3
/** Of the steps, those under faults; the others bring everything to its end. */
const faultyShare = 0.6
/** Calls of ports for each operation, about. */
const callsPerStep = 9

/** One schedule of the real code: the same seed, steps and plan give the same run. */
export const runSeed = async (
  seed: number,
  { steps = 200, plan: given, sabotage }: { steps?: number; plan?: FaultPlan; sabotage?: Sabotage } = {},
): Promise<Run> => {
  const random = createSeeded(`seed ${seed}`)
  const plan = given ?? drawPlan(random.fork('plan'), Math.ceil(steps * faultyShare) * callsPerStep)
  const processes: Process[] = []
  const workers: Agent[] = []
  const acts = {
    kill: (who: number) => workers[who]?.kill(),
    pause: (who: number, ms: number) => workers[who]?.pause(ms),
    restart: () => restart(),
  }
  const onRestore = (): void => {
    for (const process of processes) process.die()
  }
  const restart = (): void => {
    onRestore()
    world.queues.clear()
    bringUp(world, processes)
  }
  const world = createWorld({ random: random.fork('world'), plan, acts, sabotage, onRestore })
  const start = (name: string, loop: (ports: Ports) => void = () => undefined): Process => {
    const process = createProcess(world, name, loop)
    processes.push(process)
    return process
  }
  const api = [start('api-1'), start('api-2')]
  if (world.flows) start('machines', machinesLoop(world))
  const agent = await setUp(world, api)
  const period = random.between(10_000, 60_000)
  start('projector', projectLoop(world))
  start('due', dueLoop())
  if (sabotage !== 'sweep')
    for (const name of ['sweep-1', 'sweep-2']) start(name, sweepLoop(period * random.between(0.9, 1.1)))

  let left = Math.ceil(steps * faultyShare)
  const send = (asking: Asking) => {
    if (--left === 0) {
      world.faults.end()
      world.calmAt = world.timeline.now()
    }
    return callApi(world, api, asking)
  }
  const direct = random.chance(0.3)
  for (let number = 0; number < agents; number++) {
    const slots = 1 + random.below(3)
    world.slots += Math.max(1, slots - 1)
    workers.push(startAgent({ world, send, number, agent, slots, direct }))
  }
  if (world.talks) readAlone(world, send)
  let clients = 2
  for (let number = 0; number < 2; number++)
    void runClient({ world, send, number, agent: agent.id, isOver: () => left <= 0 }).then(() => clients--)
  world.faults.begin()
  let end = Infinity
  const isOver = (): boolean => {
    if (left > 0) return false
    if (end === Infinity) end = world.timeline.now() + patienceMs
    return (clients === 0 && world.open.size === 0 && world.feed.pending() === 0) || world.timeline.now() > end
  }
  await world.timeline.run(isOver)
  return {
    seed,
    steps,
    plan,
    fired: world.faults.fired,
    findings: checkWorld(world),
    world,
    portCalls: world.faults.calls(),
  }
}

/** Somebody reads the mailbox of the agent that never runs. */
const readAlone = (world: World, send: (asking: Asking) => Promise<Reply>): void => {
  const principal: Principal = { kind: 'key', id: 'reader', role: 'admin' }
  void readMail({
    agent: 'clerk',
    random: world.random.fork('reader'),
    sleep: world.timeline.sleep,
    ask: (operation, more) => send({ principal, operation, ...more }),
  })
}

/** What the embedded host does before its first request, again and again until it is done. */
const bringUp = (world: World, [process]: Process[]): void => {
  if (process === undefined) return
  const again = (): void => bringUp(world, [process])
  process.onDeath.add(again)
  const { platform } = process
  Promise.all([rebuildQueues(platform), renewAfterOutage(platform, 'default')]).then(
    () => process.onDeath.delete(again),
    () => world.timeline.at(world.timeline.now() + 500, () => process.onDeath.delete(again) && again()),
  )
}
