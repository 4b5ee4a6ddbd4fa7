import { loadBody } from '../../bodies/body.ts'
import { toCloudEvent } from '../../messages/envelope.ts'
import type { Message } from '../../messages/message.ts'
import { messagePk } from '../../messages/message-store.ts'
import { endStep, type StepOutcome, type StepPlace } from './end-step.ts'
import { keepEvent } from './keep-event.ts'

type Ports = Parameters<typeof endStep>[0]

/** A response ends the step that waits for it; one that tells of a failure of whoever was asked, fails it. */
export const endRequestStep = async (ports: Ports, response: Message): Promise<void> => {
  const { tenant, step } = response
  if (step === undefined) return
  const place = { tenant, ...step }
  await endStep(ports, place, await outcomeOf(ports, place, response))
}

/** What a handler's failure is answered as. */
const failedType = /\.failed$/
/** More is none that a machine is told. */
const longest = { error: 256, cause: 32_768 }

const outcomeOf = async (ports: Ports, place: StepPlace, response: Message): Promise<StepOutcome> => {
  const { tenant, id, envelope, data: body } = response
  const data = await loadBody(ports, { tenant, pk: messagePk(tenant, id), body })
  if (!failedType.test(envelope.type)) return { output: await keepEvent(ports, place, toCloudEvent(response, data)) }
  const { code, message } = (data ?? {}) as { code?: unknown; message?: unknown }
  const [error, cause] = [String(code ?? 'REQUEST_FAILED'), String(message ?? `${envelope.source} failed`)]
  return { error: error.slice(0, longest.error), cause: cause.slice(0, longest.cause) }
}

/** A request whose time is over without a response fails the step that waits for it. */
export const expireRequestStep = async (ports: Ports, { id, tenant, to, step, response, envelope }: Message) => {
  if (step === undefined || response !== undefined || envelope.kind !== 'request') return
  const whom = Object.entries(to ?? {}).map(([kind, name]) => `${kind} ${String(name)}`)
  const cause = `${whom.join()} did not answer request ${id} in time`
  await endStep(ports, { tenant, ...step }, { error: 'NO_RESPONSE', cause })
}
