import { CreateQueueCommand, GetQueueUrlCommand, type SQSClient } from '@aws-sdk/client-sqs'
import { isNamed, translated } from './aws-error.ts'
import { sqsName } from './sqs-name.ts'

export type AddressOptions = {
  client: SQSClient
  /** Of every queue's name: permissions are given by it. */
  prefix: string
  /** Of every queue that is made. @default none */
  tags?: Record<string, string>
  /** Where messages go that were received too often. @default nowhere */
  deadLetterArn?: string
  /**
   * How often a message is received before it goes there. Receivers of several lanes give back what they do not take,
   * and SQS counts that as well: a small number would bury low lanes of a busy agent. @default 1000, the most there is
   */
  maxReceiveCount?: number
}

export const defaultVisibilitySeconds = 60
const longestPollSeconds = 20
const keepSeconds = 14 * 86_400

const isMissing = (error: unknown): boolean =>
  isNamed(error, 'QueueDoesNotExist', 'AWS.SimpleQueueService.NonExistentQueue')
const isThere = (error: unknown): boolean => isNamed(error, 'QueueNameExists', 'QueueAlreadyExists')

const attributesOf = ({ deadLetterArn, maxReceiveCount = 1000 }: AddressOptions): Record<string, string> => ({
  ReceiveMessageWaitTimeSeconds: String(longestPollSeconds),
  VisibilityTimeout: String(defaultVisibilitySeconds),
  MessageRetentionPeriod: String(keepSeconds),
  SqsManagedSseEnabled: 'true',
  ...(deadLetterArn && {
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn: deadLetterArn, maxReceiveCount }),
  }),
})

/** The URLs of queues, kept once known. A queue that was not made yet is made by its first use. */
export const createSqsAddresses = (options: AddressOptions) => {
  const { client, prefix, tags } = options
  const urls = new Map<string, Promise<string>>()

  const find = async (QueueName: string): Promise<string> => {
    const command = new GetQueueUrlCommand({ QueueName })
    return (await translated('a queue', () => client.send(command))).QueueUrl ?? ''
  }
  const create = async (QueueName: string): Promise<string> => {
    const command = new CreateQueueCommand({ QueueName, Attributes: attributesOf(options), tags })
    return (await translated('the creation of a queue', () => client.send(command))).QueueUrl ?? ''
  }
  /** Somebody else may make it at the same time, or have made it with other attributes. */
  const findOrCreate = async (name: string): Promise<string> => {
    try {
      return await find(name)
    } catch (error) {
      if (!isMissing(error)) throw error
    }
    return create(name).catch((error: unknown) => (isThere(error) ? find(name) : Promise.reject(error)))
  }
  const urlOf = (queue: string): Promise<string> => {
    const known = urls.get(queue)
    if (known !== undefined) return known
    const url = findOrCreate(sqsName(prefix, queue))
    urls.set(queue, url)
    url.catch(() => urls.delete(queue))
    return url
  }
  return {
    urlOf,
    /** Calls with the queue's URL; a queue that was deleted since is made again. */
    async at<T>(queue: string, call: (url: string) => Promise<T>): Promise<T> {
      try {
        return await call(await urlOf(queue))
      } catch (error) {
        if (!isMissing(error)) throw error
        urls.delete(queue)
        return call(await urlOf(queue))
      }
    },
  }
}

export type SqsAddresses = ReturnType<typeof createSqsAddresses>
