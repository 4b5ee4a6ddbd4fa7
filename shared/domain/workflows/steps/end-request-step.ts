import type { Platform } from '../../../platform/platform.ts'
import { loadBody } from '../../bodies/body.ts'
import { toCloudEvent } from '../../messages/envelope.ts'
import type { Message } from '../../messages/message.ts'
import { messagePk } from '../../messages/message-store.ts'
import { endStep, type StepOutcome } from './end-step.ts'

type Ports = Parameters<typeof endStep>[0]

/** A response ends the step that waits for it; one that tells of a failure of whoever was asked, fails it. */
export const endRequestStep = async (ports: Ports, response: Message): Promise<void> => {
  const { tenant, step } = response
  if (step !== undefined) await endStep(ports, { tenant, ...step }, await outcomeOf(ports, response))
}

/** What a handler's failure is answered as. */
const failedType = /\.failed$/

const outcomeOf = async (ports: Pick<Platform, 'main' | 'objects'>, response: Message): Promise<StepOutcome> => {
  const { tenant, id, envelope, data: body } = response
  const large = body.in === 'object'
  const data = large ? { $ref: body.id } : await loadBody(ports, { tenant, pk: messagePk(tenant, id), body })
  if (!failedType.test(envelope.type)) return { output: toCloudEvent(response, data) }
  const { code, message } = (data ?? {}) as { code?: unknown; message?: unknown }
  return { error: String(code ?? 'REQUEST_FAILED'), cause: String(message ?? `${envelope.source} failed`) }
}

/** A request whose time is over without a response fails the step that waits for it. */
export const expireRequestStep = async (ports: Ports, { id, tenant, to, step, response, envelope }: Message) => {
  if (step === undefined || response !== undefined || envelope.kind !== 'request') return
  const whom = Object.entries(to ?? {}).map(([kind, name]) => `${kind} ${String(name)}`)
  const cause = `${whom.join()} did not answer request ${id} in time`
  await endStep(ports, { tenant, ...step }, { error: 'NO_RESPONSE', cause })
}
