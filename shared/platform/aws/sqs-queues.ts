import { GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs'
import type { Clock, Queues, Random } from '../platform.ts'
import { translated } from './aws-error.ts'
import { type AddressOptions, createSqsAddresses } from './sqs-addresses.ts'
import { deleteAll, releaseAll, type SqsContext, sendAll } from './sqs-batches.ts'
import { receiveFrom } from './sqs-receive.ts'
import { createSqsTurns } from './sqs-turns.ts'

type Options = Omit<AddressOptions, 'client'> & { client?: SQSClient; clock: Clock; random: Random }

/** Queues in SQS: standard ones, fair between message groups. */
export const createSqsQueues = (options: Options): Queues => {
  const { client = new SQSClient({ useQueueUrlAsEndpoint: false }), clock, random } = options
  const addresses = createSqsAddresses({ ...options, client })
  const context: SqsContext = { client, addresses, clock, random, turns: createSqsTurns() }
  return {
    async ensure(queue) {
      await addresses.urlOf(queue)
    },
    send: (queue, messages) => sendAll(context, queue, messages),
    receive: (receiving) => receiveFrom(context, receiving),
    delete: (messages) => deleteAll(context, messages),
    release: (messages, delaySeconds) => releaseAll(context, messages, delaySeconds),
    locate: (queue) => addresses.urlOf(queue),
    ahead: async () => undefined, // SQS tells nobody where a message stands
    async depth(queue) {
      const command = (QueueUrl: string) =>
        new GetQueueAttributesCommand({
          QueueUrl,
          AttributeNames: ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'],
        })
      const { Attributes = {} } = await addresses.at(queue, (url) =>
        translated('the depth of a queue', () => client.send(command(url))),
      )
      return {
        waiting: Number(Attributes.ApproximateNumberOfMessages ?? 0),
        inFlight: Number(Attributes.ApproximateNumberOfMessagesNotVisible ?? 0),
      }
    },
  }
}
