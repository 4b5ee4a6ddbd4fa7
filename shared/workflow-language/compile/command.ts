import { placeholders, type Values } from './asl.ts'
import type { Context } from './context.ts'
import { joinedBy } from './joined.ts'

const send = 'arn:aws:states:::sqs:sendMessage'

/** What a step waits at most for the product, unless it says: 7 days. */
export const defaultStepSeconds = 604_800
/** What sending a command takes at most. */
export const sendSeconds = 300

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
