import type { Step } from '#shared/contracts/workflows/definition.ts'
import { toSeconds } from '#shared/contracts/workflows/values.ts'
import { placeholders, type Values } from './asl.ts'
import type { Context } from './context.ts'
import { joinedBy } from './joined.ts'

const send = 'arn:aws:states:::sqs:sendMessage'

/** What a step waits at most for the product, unless it says: 7 days; a request as long as every request. */
const defaultSeconds = { step: 604_800, request: 86_400 }
/** What sending a command takes at most. */
export const sendSeconds = 300

/** What a step waits at most for the product. */
export const waitSeconds = (step: Step): number => {
  const { kind, timeout } = step as Step & { timeout?: number | string }
  if (timeout !== undefined) return toSeconds(timeout)
  return kind === 'request' ? defaultSeconds.request : defaultSeconds.step
}

/** A command to the product; one that waits hands over the token that ends it, any other the name of its delivery. */
export const commandTo = (
  step: Values,
  waits: boolean,
  context: Pick<Context, 'inMap' | 'within' | 'undoes' | 'run' | 'joined'>,
) => {
  const { inMap, within, undoes, run } = context
  const joined = waits ? joinedBy(step, context) : undefined
  return {
    Resource: waits ? `${send}.waitForTaskToken` : send,
    Arguments: {
      QueueUrl: placeholders.queue,
      MessageBody: {
        ...(waits ? { token: '{% $states.context.Task.Token %}' } : { id: '{% $uuid() %}' }),
        tenant: placeholders.tenant,
        run,
        step,
        ...(inMap && { index: '{% $states.context.Map.Item.Index %}' }),
        ...(joined && { joined }),
        ...(within.length > 0 && { within }),
        ...(undoes && { undoes }),
      },
    },
  }
}

export const defined = (values: Values): Values =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined))
