import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda'
import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs'
import type { Joined, LeaseAnswer, LeasedTask } from '#shared/contracts/worker.ts'
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
/** Calls after which an attempt is over. */
const ending = /^\/tasks\/([^/]+)\/(complete|fail|wait)$/

/** On AWS: task ids come from the agent's own queues, everything else goes to the agent gateway by direct invoke. */
export const createSqsTaskSource = ({
  gateway,
  lambda = new LambdaClient({}),
  sqs = new SQSClient({ useQueueUrlAsEndpoint: false }),
}: Options): TaskSource => {
  const held = new Map<string, Held>()

  const invoke: TaskSource['send'] = async ({ method, path, body, token, signal }) => {
    const [rawPath = '', rawQueryString = ''] = `/api/v2${path}`.split('?')
    const event = {
      version: '2.0',
      rawPath,
      rawQueryString,
      headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
      requestContext: { http: { method, path: rawPath } },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      isBase64Encoded: false,
    }
    const command = new InvokeCommand({ FunctionName: gateway, Payload: JSON.stringify(event) })
    const answer = await lambda.send(command, { abortSignal: signal })
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
    await sqs.send(new DeleteMessageCommand({ QueueUrl: message.address, ReceiptHandle: message.receipt }))
  }
  const setVisibility = (QueueUrl: string, ReceiptHandle: string, VisibilityTimeout: number) =>
    sqs.send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout })).catch(() => undefined)

  const lanePolls = createLanePolls({
    receive: async (lane, max, signal) => {
      const command = new ReceiveMessageCommand({
        QueueUrl: lane.address,
        MaxNumberOfMessages: Math.min(max, batchSize),
        WaitTimeSeconds: longestPollSeconds,
        VisibilityTimeout: visibilitySeconds,
      })
      return (await sqs.send(command, { abortSignal: signal })).Messages ?? []
    },
    giveBack: ({ lane, message }) => void setVisibility(lane.address, message.ReceiptHandle ?? '', 0),
  })
  const keep = ({ lane, message }: Arrived): void => {
    const receipt = message.ReceiptHandle ?? ''
    const extend = (): void => void setVisibility(lane.address, receipt, visibilitySeconds)
    const timer = setInterval(extend, (visibilitySeconds * 1000) / 3)
    timer.unref()
    held.set(message.Body ?? '', { address: lane.address, receipt, timer })
  }
  const claim = async (joined: Joined, taskIds: string[], signal: AbortSignal): Promise<LeasedTask[]> => {
    const path = `/instances/${joined.instanceId}/lease`
    const { status, body } = await invoke({ method: 'POST', path, body: { taskIds }, token: joined.token, signal })
    if (status !== 200) throw Object.assign(new Error(`the claim was refused with ${status}`), { status })
    return (body as LeaseAnswer).tasks
  }

  return {
    async send(request) {
      const answer = await invoke(request)
      const ended = request.method === 'POST' ? ending.exec(request.path)?.[1] : undefined
      if (ended !== undefined && answer.status < 500 && answer.status !== 429) await settle(ended)
      return answer
    },
    async lease({ joined, max, waitSeconds, signal }) {
      if (joined.queue === undefined) throw new Error('the platform gave no queues to receive from')
      const received = await lanePolls.next({ lanes: joined.queue.lanes, max, waitSeconds, signal })
      if (received.length === 0) return []
      for (const one of received) keep(one)
      const ids = received.map(({ message }) => message.Body ?? '')
      const tasks = await claim(joined, ids, signal)
      const claimed = new Set(tasks.map(({ taskId }) => taskId))
      await Promise.all(ids.filter((id) => !claimed.has(id)).map(settle)) // nobody's to run any more
      return tasks
    },
  }
}

const toAnswer = ({ statusCode, body }: { statusCode: number; body: string }): WorkerAnswer => ({
  status: statusCode,
  body: body === '' ? undefined : JSON.parse(body),
})
