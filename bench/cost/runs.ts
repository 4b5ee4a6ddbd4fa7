import { takeCommands } from '#functions/workflow-steps/take-commands.ts'
import { workflowConsumer } from '#functions/workflow-steps/workflow-consumer.ts'
import type { RunEvent, Workflows } from '#shared/platform/platform.ts'
import { type AwsHost, startWorker } from './aws-host.ts'

const stepsQueue = 'steps'
const steps = 5
/** The end of a run is a transition as well. */
const ofRun = 1

const definition = {
  workflow: 'bench',
  steps: Array.from({ length: steps }, (_, at) => ({
    name: `step${at}`,
    kind: 'task',
    capability: 'bench',
    input: { at },
  })),
  output: `{% $step${steps - 1} %}`,
}

/** What Step Functions bills: every state that is entered, and every time that one is tried again. */
const transitionsOf = (events: RunEvent[]): number =>
  ofRun + events.filter(({ type }) => type.endsWith('StateEntered') || type.endsWith('RetryScheduled')).length

const historyOf = async (workflows: Workflows, run: string): Promise<RunEvent[]> => {
  const events: RunEvent[] = []
  let cursor: string | undefined
  do {
    const page = await workflows.history(
      { tenant: 'default', workflow: definition.workflow, run },
      { limit: 500, cursor },
    )
    events.push(...page.events)
    cursor = page.cursor
  } while (cursor !== undefined)
  return events
}

/** Runs a workflow of five tasks so many times, and counts. Answers the transitions of a run beyond one for each step. */
export const runWorkflows = async (
  host: AwsHost,
  { serve }: { serve: (consumer: ReturnType<typeof workflowConsumer>) => void },
  runs: number,
): Promise<number> => {
  const { platform, meter, call } = host
  const consumer = workflowConsumer(platform)
  let ended = 0
  serve({
    /** Step Functions sends a command to the queue of steps. */
    onCommand: (body) => platform.queues.send(stepsQueue, [{ body: JSON.stringify(body) }]).then(() => undefined),
    async onEnd(end) {
      meter.count('lambda.request', 'workflow-steps end', 1)
      await consumer.onEnd(end)
      ended += 1
    },
  })
  const work = await startWorker(host, 10)
  await call('save', '/workflows', { definition })
  /** Lambda receives for the function, and deletes what it has done. */
  const take = async (): Promise<void> => {
    const received = await platform.queues.receive({ queues: [stepsQueue], max: 10, waitSeconds: 0 })
    if (received.length === 0) return
    meter.count('lambda.request', 'workflow-steps', 1)
    await takeCommands(
      platform,
      consumer,
      received.map(({ body }) => body),
    )
    await platform.queues.delete(received)
  }
  meter.start()
  const started = await Promise.all(
    Array.from({ length: runs }, () => call<{ id: string }>('start', `/workflows/${definition.workflow}/runs`, {})),
  )
  while (ended < runs) {
    await take()
    await work()
  }
  await host.settle()
  meter.stop()
  const transitions = await Promise.all(
    started.map(async ({ id }) => transitionsOf(await historyOf(platform.workflows, id))),
  )
  const all = transitions.reduce((sum, one) => sum + one, 0)
  meter.start()
  meter.count('states.transition', 'StateEntered', all)
  meter.stop()
  return all / runs - steps
}
