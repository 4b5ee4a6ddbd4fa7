import { setTimeout as sleep } from 'node:timers/promises'
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda'
import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs'
import type { Joined, LeaseAnswer } from '#shared/contracts/worker.ts'
import { type Arrived, createLanePolls } from './lane-polls.ts'
import type { TaskSource, WorkerAnswer } from './task-source.ts'

type Options = {
  /** Name or ARN of the agent gateway function, with the alias that is named after the agent. */
  gateway: string
  lambda?: LambdaClient
  sqs?: SQSClient
}
type Held = { address: string; receipt: string; timer: NodeJS.Timeout }

const batchSize = 10
const visibilitySeconds = 120
const longestPollSeconds = 20
/** How long a message that is for another instance stays away from this one. */
const passOnSeconds = 2
/** A connection that hangs is given up, so that the call can be repeated. */
const answerMs = 30_000
/** Calls after which an attempt is over. */
const ending = /^\/tasks\/([^/]+)\/(complete|fail|wait)$/

/** On AWS: task ids come from the agent's own queues, everything else goes to the agent gateway by direct invoke. */
export const createSqsTaskSource = ({
  gateway,
  lambda = new LambdaClient({}),
  sqs = new SQSClient({ useQueueUrlAsEndpoint: false }),
}: Options): TaskSource => {
  const held = new Map<string, Held>()

  const invoke: TaskSource['send'] = async ({ method, path, headers, body, token, signal }) => {
    const [rawPath = '', rawQueryString = ''] = `/api/v2${path}`.split('?')
    const event = {
      version: '2.0',
      rawPath,
      rawQueryString,
      headers: { ...headers, 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
      requestContext: { http: { method, path: rawPath } },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      isBase64Encoded: false,
    }
    const command = new InvokeCommand({ FunctionName: gateway, Payload: JSON.stringify(event) })
    const timeout = AbortSignal.timeout(answerMs)
    const answer = await lambda.send(command, { abortSignal: signal ? AbortSignal.any([signal, timeout]) : timeout })
    const text = Buffer.from(answer.Payload ?? []).toString('utf8')
    if (answer.FunctionError !== undefined) throw new Error(`the agent gateway failed: ${text}`)
    return toAnswer(JSON.parse(text) as { statusCode: number; body: string })
  }

  /** The message of an attempt is deleted when the attempt has ended, so that SQS sees who is in flight. */
  const settle = async (taskId: string): Promise<void> => {
    const message = held.get(taskId)
    held.delete(taskId)
    if (message === undefined) return
    clearInterval(message.timer)
    await remove(message.address, message.receipt)
  }
  const remove = (QueueUrl: string, ReceiptHandle: string) =>
    sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }))
  const setVisibility = (QueueUrl: string, ReceiptHandle: string, VisibilityTimeout: number) =>
    sqs.send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout })).catch(() => undefined)

  const lanePolls = createLanePolls({
    receive: async (lane, max, signal) => {
      const command = new ReceiveMessageCommand({
        QueueUrl: lane.address,
        MaxNumberOfMessages: Math.min(max, batchSize),
        WaitTimeSeconds: longestPollSeconds,
        VisibilityTimeout: visibilitySeconds,
        MessageSystemAttributeNames: ['SentTimestamp'],
      })
      return (await sqs.send(command, { abortSignal: signal })).Messages ?? []
    },
    giveBack: (arrived) => void giveBack(arrived),
  })
  const giveBack = ({ lane, message }: Arrived, seconds = 0) =>
    setVisibility(lane.address, message.ReceiptHandle ?? '', seconds)
  /** A message that came again has a new receipt. */
  const keep = ({ lane, message }: Arrived): void => {
    const taskId = message.Body ?? ''
    const receipt = message.ReceiptHandle ?? ''
    clearInterval(held.get(taskId)?.timer)
    const extend = (): void => void setVisibility(lane.address, receipt, visibilitySeconds)
    const timer = setInterval(extend, (visibilitySeconds * 1000) / 3)
    timer.unref()
    held.set(taskId, { address: lane.address, receipt, timer })
  }
  /** What was not claimed comes again where there may be room later; else it is nobody's to run any more. */
  const refuse = (one: Arrived, retryAfterSeconds = 0): Promise<unknown> =>
    retryAfterSeconds > 0
      ? giveBack(one, Math.ceil(retryAfterSeconds))
      : remove(one.lane.address, one.message.ReceiptHandle ?? '').catch(() => undefined)
  const claim = async (joined: Joined, received: Arrived[], signal: AbortSignal): Promise<LeaseAnswer> => {
    const path = `/instances/${joined.instanceId}/lease`
    const taskIds = received.map(({ message }) => message.Body ?? '')
    try {
      const { status, body } = await invoke({ method: 'POST', path, body: { taskIds }, token: joined.token, signal })
      if (status !== 200) throw Object.assign(new Error(`the claim was refused with ${status}`), { status })
      return body as LeaseAnswer
    } catch (error) {
      await Promise.all(received.map((one) => giveBack(one)))
      throw error
    }
  }

  return {
    async send(request) {
      const answer = await invoke(request)
      const ended = request.method === 'POST' ? ending.exec(request.path)?.[1] : undefined
      if (ended !== undefined && answer.status < 500 && answer.status !== 429) await settle(ended)
      return answer
    },
    async lease({ joined, max, free = () => max, waitSeconds, signal }) {
      if (joined.queue === undefined) throw new Error('the platform gave no queues to receive from')
      const received = await lanePolls.next({ lanes: joined.queue.lanes, max, free, waitSeconds, signal })
      if (received.length === 0) return []
      const { tasks, retryAfterSeconds, elsewhere = [] } = await claim(joined, received, signal)
      const claimed = new Set(tasks.map(({ taskId }) => taskId))
      const isClaimed = ({ message }: Arrived) => claimed.has(message.Body ?? '')
      received.filter(isClaimed).forEach(keep)
      const others = received.filter((one) => !isClaimed(one))
      const isElsewhere = ({ message }: Arrived) => elsewhere.includes(message.Body ?? '')
      await Promise.all(others.map((one) => refuse(one, isElsewhere(one) ? passOnSeconds : retryAfterSeconds)))
      if (tasks.length === 0 && retryAfterSeconds) await sleep(retryAfterSeconds * 1000, undefined, { signal })
      return tasks
    },
    over: settle,
  }
}

const toAnswer = ({ statusCode, body }: { statusCode: number; body: string }): WorkerAnswer => ({
  status: statusCode,
  body: body === '' ? undefined : JSON.parse(body),
})
