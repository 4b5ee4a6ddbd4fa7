import { InvokeCommand, type InvokeCommandInput, LambdaClient } from '@aws-sdk/client-lambda'
import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  type Message,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs'
import { mockClient } from 'aws-sdk-client-mock'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createSqsTaskSource } from '#agent/runner/sqs-task-source.ts'
import { aFakePlatform, aLeasedTask } from './fake-platform.ts'

const sqs = mockClient(SQSClient)
const lambda = mockClient(LambdaClient)
const { taskId } = aLeasedTask()
const other = 'tsk_00000000000000000000000002'

const joined = {
  ...aFakePlatform().joined,
  queue: { lanes: [{ lane: 'normal', address: 'https://queue', keepFree: 0 }] },
}
const aMessage = (id: string, receipt = id): Message => ({ Body: id, ReceiptHandle: receipt })

const answerOf = (statusCode: number, body: unknown) => ({
  Payload: Buffer.from(JSON.stringify({ statusCode, body: JSON.stringify(body) })) as never,
})
/** What the gateway was sent first, and with which options. */
const invoked = () => {
  const [command, options] = (lambda.calls()[0]?.args ?? []) as unknown as [
    { input: InvokeCommandInput },
    { abortSignal: AbortSignal },
  ]
  return { event: JSON.parse(String(command.input.Payload)), signal: options.abortSignal }
}

const aSource = () =>
  createSqsTaskSource({
    gateway: 'gateway',
    lambda: new LambdaClient({ region: 'us-east-1' }),
    sqs: new SQSClient({ region: 'us-east-1' }),
  })
const receive = (...messages: Message[]) => {
  sqs.on(ChangeMessageVisibilityCommand).resolves({})
  sqs.on(DeleteMessageCommand).resolves({})
  sqs
    .on(ReceiveMessageCommand)
    .resolvesOnce({ Messages: messages })
    .callsFake(() => new Promise(() => undefined))
}
const claims = (tasks: object[], retryAfterSeconds?: number) =>
  lambda.on(InvokeCommand).resolves(answerOf(200, { tasks, ...(retryAfterSeconds && { retryAfterSeconds }) }))
const lease = (source: ReturnType<typeof aSource>, signal = new AbortController().signal) =>
  source.lease({ joined, max: 10, waitSeconds: 1, signal })

const deleted = () => sqs.commandCalls(DeleteMessageCommand).map(({ args }) => args[0].input.ReceiptHandle)
const visibilities = () =>
  sqs
    .commandCalls(ChangeMessageVisibilityCommand)
    .map(({ args: [{ input }] }) => [input.ReceiptHandle, input.VisibilityTimeout])

afterEach(() => {
  sqs.reset()
  lambda.reset()
  vi.useRealTimers()
})

describe('messages of the queues', () => {
  it('are given back at once when their claim fails, and not kept from others', async () => {
    vi.useFakeTimers({ toFake: ['setInterval'] })
    receive(aMessage(taskId), aMessage(other))
    lambda.on(InvokeCommand).rejects(new Error('no answer'))
    await expect(lease(aSource())).rejects.toThrow('no answer')
    vi.advanceTimersByTime(600_000)
    expect(visibilities()).toEqual([
      [taskId, 0],
      [other, 0],
    ])
  })

  it('are given back for a moment when their tasks are for another instance, without a pause', async () => {
    receive(aMessage(taskId), aMessage(other))
    lambda.on(InvokeCommand).resolves(answerOf(200, { tasks: [aLeasedTask()], elsewhere: [other] }))
    expect(await lease(aSource())).toHaveLength(1)
    expect(visibilities()).toEqual([[other, 2]])
    expect(deleted()).toEqual([])
  })

  it('are given back when there is no room for their tasks yet', async () => {
    receive(aMessage(taskId), aMessage(other))
    claims([aLeasedTask()], 3)
    await lease(aSource())
    expect(visibilities()).toEqual([[other, 3]])
    expect(deleted()).toEqual([])
  })

  it('are deleted when their tasks are nobody’s to run any more', async () => {
    receive(aMessage(other))
    claims([])
    await lease(aSource())
    expect(deleted()).toEqual([other])
  })

  it('are kept invisible while their task runs, and deleted when it is over, whoever ended it', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    receive(aMessage(taskId))
    claims([aLeasedTask()])
    const source = aSource()
    await lease(source)
    vi.advanceTimersByTime(40_000)
    expect(visibilities()).toEqual([[taskId, 120]])
    await source.over(taskId)
    await source.over(taskId)
    vi.advanceTimersByTime(600_000)
    expect(visibilities()).toHaveLength(1)
    expect(deleted()).toEqual([taskId])
  })

  it('that come again are held under their new receipt alone', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    claims([aLeasedTask()])
    const source = aSource()
    receive(aMessage(taskId, 'first'))
    await lease(source)
    sqs.reset()
    receive(aMessage(taskId, 'second'))
    await lease(source, AbortSignal.timeout(5000))
    vi.advanceTimersByTime(40_000)
    expect(visibilities()).toEqual([['second', 120]])
    await source.over(taskId)
    expect(deleted()).toEqual(['second'])
  })
})

describe('the agent gateway', () => {
  it('is told the headers of a request', async () => {
    lambda.on(InvokeCommand).resolves(answerOf(202, {}))
    const headers = { 'idempotency-key': '1.1.1' }
    await aSource().send({ method: 'POST', path: '/tasks/tsk_1/progress', headers, body: {}, token: 'secret' })
    expect(invoked().event.headers).toEqual({
      'content-type': 'application/json',
      'idempotency-key': '1.1.1',
      authorization: 'Bearer secret',
    })
  })

  it('is not waited for without end', async () => {
    const timeout = vi.spyOn(AbortSignal, 'timeout').mockReturnValue(AbortSignal.abort(new Error('too long')))
    lambda.on(InvokeCommand).resolves(answerOf(202, {}))
    const { signal } = new AbortController()
    await aSource().send({ method: 'GET', path: '/agents', signal })
    expect(timeout).toHaveBeenCalledWith(30_000)
    expect(invoked().signal.aborted).toBe(true)
    timeout.mockRestore()
  })
})
