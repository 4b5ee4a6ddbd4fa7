import { registerAgent } from '#shared/domain/agents/register-agent.ts'
import type { Caller } from '#shared/domain/caller.ts'
import { makeSubscription } from '#shared/domain/topics/change-subscription.ts'
import type { Target } from '#shared/domain/topics/subscription.ts'
import { saveWorkflow } from '#shared/domain/workflows/save-workflow.ts'
import type { Platform } from '#shared/platform/platform.ts'
import { compileWorkflow } from '#shared/workflow-language/compile/compile-workflow.ts'
import { compensatedSteps } from '#shared/workflow-language/steps.ts'
import { drawWorkflow, workflowNames } from './draw-workflow.ts'
import type { Process } from './process.ts'
import { handledType } from './talk.ts'
import type { World } from './world.ts'

type Registered = { id: string; version: string }

const caller: Caller = {
  tenant: 'default',
  principal: { kind: 'key', id: 'setup', role: 'admin' },
  requestId: 'setup',
}
/** As long as an index may know nothing of a write. */
const lagMs = 3000

const subscriptions: { topic: string; target: Target }[] = [
  { topic: 'news', target: { agent: 'worker' } },
  { topic: 'news*', target: { agent: 'clerk' } },
  { topic: 'news/today', target: { capability: 'work', input: 'data' } },
  { topic: 'news/today', target: { topic: 'news' } },
]

const registerWorker = (world: World, platform: Platform): Promise<Registered> => {
  if (world.random.chance(0.25)) world.limit = 2
  return registerAgent(platform, caller, {
    name: 'worker',
    type: 'sim',
    version: '1.0.0',
    capabilities: [{ name: 'work' }],
    ...(world.talks && { messages: [{ type: handledType }] }),
    configuration: world.limit === undefined ? {} : { maxConcurrentTasks: world.limit },
    labels: {},
    idempotencyKey: 'worker',
  })
}

/** Whom people talk with besides, and what they subscribe to. */
const prepareTalk = async (platform: Platform): Promise<void> => {
  const clerk = { name: 'clerk', type: 'desk', version: '1.0.0', labels: { side: 'back' } }
  await registerAgent(platform, caller, { ...clerk, capabilities: [], configuration: {}, idempotencyKey: 'clerk' })
  for (const [at, { topic, target }] of subscriptions.entries())
    await makeSubscription(platform, caller, { topic, target, idempotencyKey: `subscription-${at}` })
}

/** Workflows that people start, the second of which may start the first. */
const prepareFlows = async ({ random, undoable }: World, platform: Platform): Promise<void> => {
  for (const name of workflowNames) {
    const definition = drawWorkflow(random.fork(name), name)
    for (const step of compensatedSteps(definition)) undoable.add(step.name)
    const compiled = compileWorkflow(definition, { legEvents: random.pick([1, 1, 40]) })
    await saveWorkflow(platform, caller, { name, source: definition, compiled })
  }
}

/** What is there before anything goes wrong. Answers the agent that does the tasks. */
export const setUp = async (world: World, [process]: Process[]): Promise<Registered> => {
  if (process === undefined) throw new Error('there is no process to register with')
  const { platform } = process
  let isReady = false
  const preparing = registerWorker(world, platform).then(async (agent) => {
    if (world.talks) {
      await prepareTalk(platform)
    }
    if (world.flows) await prepareFlows(world, platform)
    await platform.clock.sleep(lagMs)
    isReady = true
    return agent
  })
  await world.timeline.run(() => isReady)
  return preparing
}
