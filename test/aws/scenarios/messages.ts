import {
  GetFunctionConfigurationCommand,
  LambdaClient,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda'
import { expect, it } from 'vitest'
import WebSocket from 'ws'
import { awaited, type Calls, type Json } from '../calls.ts'
import { clientConfig, type Deployment } from '../deployment.ts'

/** What an emulator cannot do with sockets. */
export type MessagesCannot = { sockets?: string }

/** Messages to agents: mailboxes, requests, broadcasts, topics whose messages become tasks, and sockets. */
export const messageScenarios = (app: () => Deployment, calls: Calls, cannot: MessagesCannot) => {
  const { get, post, call, work, next, tell } = calls
  const anAgent = async (name: string, more: object = {}) =>
    expect((await post('/agents', { name, ...more })).status).toBe(201)
  const mailOf = (agent: string): Promise<Json[]> =>
    awaited(async () => {
      const { items } = await get(`/mailboxes/${agent}/messages`)
      return items.length > 0 && items
    }, `mail of ${agent}`)

  it('keeps mail for an agent that does not run, in the order of its conversation, until it is acknowledged', async () => {
    await anAgent('aws.box')
    const sent: string[] = []
    for (const data of [1, 2])
      sent.push(
        (await post('/messages', { to: { agent: 'aws.box' }, type: 'page', data, conversation: 'book' })).body.id,
      )
    for (const [at, id] of sent.entries()) {
      const mail = await mailOf('aws.box')
      expect(mail).toMatchObject([{ message: { id, type: 'page', data: at + 1 } }])
      expect((await post('/mailboxes/aws.box/ack', { ids: [id] })).body.acknowledged).toEqual([id])
    }
    expect((await get('/mailboxes/aws.box')).waiting).toBe(0)
  })

  it('answers whoever waits for the response to a request', async () => {
    await anAgent('aws.answers')
    const asked = { kind: 'request', to: { agent: 'aws.answers' }, type: 'size.wanted', data: { of: 'x' } }
    const sent = (await post('/messages', asked)).body.id
    const [mail] = await mailOf('aws.answers')
    expect(mail).toMatchObject({ message: { id: sent, type: 'size.wanted', data: { of: 'x' } } })
    expect((await post(`/messages/${sent}/reply`, { data: { size: 7 } })).status).toBe(202)
    const answered = await awaited(async () => {
      const message = await get(`/messages/${sent}`)
      return message.response && message
    }, 'the response')
    expect(answered).toMatchObject({ response: { late: false } })
    expect(await get(`/messages/${answered.response.id}`)).toMatchObject({
      kind: 'response',
      correlationId: sent,
      data: { size: 7 },
    })
  })

  it('reports what became of a broadcast in each mailbox', async () => {
    for (const name of ['aws.north', 'aws.south']) await anAgent(name, { labels: { side: 'aws-both' } })
    await anAgent('aws.east')
    const to = { filter: { labels: { side: 'aws-both' } } }
    const { id } = (await post('/messages', { kind: 'broadcast', to, type: 'freeze.begins' })).body
    const letters = (): Promise<Json[]> =>
      awaited(async () => {
        const { items } = await get(`/messages/${id}/letters`)
        return items.length === 2 && items
      }, 'both letters')
    expect((await letters()).map(({ inbox }) => inbox).toSorted()).toEqual(['aws.north', 'aws.south'])
    await mailOf('aws.north')
    await post('/mailboxes/aws.north/ack', { ids: [id] })
    expect((await letters()).map(({ inbox, state }) => `${inbox} ${state}`).toSorted()).toEqual([
      'aws.north DONE',
      'aws.south WAITING',
    ])
  })

  it('makes a task of what a subscription matches, which is done as any other', async () => {
    const worker = await work('aws.builds')
    const pattern = { type: ['build.failed'] }
    await post('/subscriptions', { topic: 'aws.ci', pattern, target: { capability: 'aws.builds' } })
    for (const type of ['build.passed', 'build.failed'])
      await post('/messages', { to: { topic: 'aws.ci' }, type, data: { commit: 'abc' } })
    const task = await next(worker)
    await tell('complete', worker, task, { result: 'seen' })
    expect(await calls.ended(task.taskId)).toMatchObject({ status: 'SUCCEEDED', result: 'seen' })
    expect((await get('/tasks?capability=aws.builds')).items).toHaveLength(1)
  })

  const why = cannot.sockets ? `: ${cannot.sockets}` : ''
  it.skipIf(cannot.sockets)(`tells a socket what changed${why}`, async () => {
    const base = await socketBase(app())
    const { body } = await post('/ws/ticket')
    const socket = new WebSocket(`${base}${new URL(body.url).search}`)
    const frames: Json[] = []
    socket.on('message', (data) => frames.push(JSON.parse(String(data))))
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
    socket.send(JSON.stringify({ type: 'subscribe', topic: 'tasks' }))
    const frame = (wanted: object) =>
      awaited(
        async () => frames.find((one) => Object.entries(wanted).every(([key, value]) => one[key] === value)),
        JSON.stringify(wanted),
      )
    await frame({ type: 'subscribed', topic: 'tasks' })
    const id = await calls.submit('aws.nobody-sees')
    await frame({ type: 'changed', topic: 'tasks', id })
    await call('POST', `/tasks/${id}/cancel`)
    socket.close()
  })
}

/** Where the emulator has the socket API; the functions that push are told, since it is no host of AWS. */
const socketBase = async (app: Deployment): Promise<string> => {
  const id = /^\w+:\/\/([^.]+)\./.exec(app.outputs.SocketUrl ?? '')?.[1]
  const callback = `${app.emulator.endpoint}/_aws/execute-api/${id}/live`
  const lambda = new LambdaClient(clientConfig(app.emulator))
  for (const FunctionName of ['devcycle-dev-websocket', 'devcycle-dev-stream']) {
    const { Environment } = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName }))
    const Variables = { ...Environment?.Variables, WEBSOCKET_CALLBACK_URL: callback }
    await lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName, Environment: { Variables } }))
  }
  return callback.replace(/^http/, 'ws')
}
