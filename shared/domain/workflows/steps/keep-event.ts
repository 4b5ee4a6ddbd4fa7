import type { CloudEvent, Platform } from '../../../platform/platform.ts'
import { itemLimit, planObject } from '../../bodies/body.ts'
import { systemStamp } from '../../caller.ts'
import { runPk } from '../run-store.ts'
import type { StepPlace } from './end-step.ts'
import { outline } from './small-fields.ts'

type Ports = Pick<Platform, 'main' | 'objects' | 'clock'>

/** A message as what its step answers: the data of a large one is kept as an object of the run, which outlives the message. */
export const keepEvent = async (
  ports: Ports,
  { tenant, run, id }: StepPlace,
  event: CloudEvent,
): Promise<CloudEvent> => {
  if (Buffer.byteLength(JSON.stringify(event)) <= itemLimit) return event
  const place = { tenant, pk: runPk(tenant, run), sk: `event#${id}#${event.id}`, stamp: systemStamp('run.step') }
  const { body, items } = await planObject(ports, { ...place, value: event.data })
  for (const item of items) await ports.main.write({ op: 'put', item, expect: 'any' })
  return { ...event, data: outline(event.data, body.id) }
}
