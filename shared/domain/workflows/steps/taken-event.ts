import type { CloudEvent, Item, Key, Platform } from '../../../platform/platform.ts'
import { runPk } from '../run-store.ts'
import type { StepPlace } from './end-step.ts'

type Taken = { step: string }

const takenKey = ({ tenant, run }: StepPlace, event: string): Key => ({
  pk: runPk(tenant, run),
  sk: `taken#${event}`,
})

/** Says that a step of a run was ended by an event, when stored with its end: of events that come at once, by one alone. */
export const takenItem = (step: StepPlace, event: string): Item<Taken> => ({
  ...takenKey(step, event),
  type: 'run-event',
  value: { step: step.id },
})

/** Those of the events that have ended no step of the run but this one. */
export const untaken = async (
  { main }: Pick<Platform, 'main'>,
  step: StepPlace,
  events: CloudEvent[],
): Promise<CloudEvent[]> => {
  if (events.length === 0) return []
  const taken = await main.getMany<Taken>(events.map((event) => takenKey(step, event.id)))
  return events.filter((_, at) => (taken[at]?.value.step ?? step.id) === step.id)
}
