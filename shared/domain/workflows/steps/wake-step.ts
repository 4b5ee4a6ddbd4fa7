import type { CloudEvent } from '../../../platform/platform.ts'
import type { Run } from '../run.ts'
import { changeRun, findRun, findStep } from '../run-store.ts'
import { endStep, type StepPlace } from './end-step.ts'
import { keepEvent } from './keep-event.ts'

type Ports = Parameters<typeof endStep>[0]

/** The run with the longest way that led to it: what a step does next follows from that. */
const behind = (run: Run, hops: string[]): Run => (hops.length > (run.hops?.length ?? 0) ? { ...run, hops } : run)

/** Ends the step that waits for a message with it; what the run does from here on has passed what the message did. */
export const wakeStep = async (ports: Ports, place: StepPlace, event: CloudEvent): Promise<void> => {
  const hops = event.hops?.split(' ') ?? []
  const [step, run] = await Promise.all([findStep(ports, place), findRun(ports, place.tenant, place.run)])
  const waits = step?.value.state === 'RUNNING'
  if (run && waits) await changeRun(ports, run, (current) => behind(current, hops))
  await endStep(ports, place, { output: waits ? await keepEvent(ports, place, event) : event, event: event.id })
}
