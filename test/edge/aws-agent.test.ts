import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { LambdaClient } from '@aws-sdk/client-lambda'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadAgent } from '#agent/runner/load-agent.ts'
import { type Runner, startRunner } from '#agent/runner/runner.ts'
import { createSqsTaskSource } from '#agent/runner/sqs-task-source.ts'
import { agentOfArn, answerInvoke, type InvokeRequest } from '#functions/agent-gateway/invoke.ts'
import { anAwsApi, type TestApi } from '#test/support/api.ts'
import { dynoxideBinary, noDynoxide } from '#test/support/dynoxide.ts'
import { until } from '#test/support/server-process.ts'

const sleeper = fileURLToPath(new URL('../fixtures/agents/sleeper', import.meta.url))

/** Lambda's Invoke for one function: the alias of the called ARN tells who calls. */
const startLambda = (api: TestApi): Promise<Server> => {
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    const name = decodeURIComponent(/functions\/([^/]+)\/invocations/.exec(request.url ?? '')?.[1] ?? '')
    const event = JSON.parse(Buffer.concat(parts).toString()) as InvokeRequest
    response.end(JSON.stringify(await answerInvoke(api.app, event, agentOfArn(name))))
  })
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)))
}

describe.skipIf(dynoxideBinary() === undefined)(`an agent on AWS (without dynoxide: ${noDynoxide})`, () => {
  let api: TestApi
  let lambda: Server
  let runner: Runner
  const gateway = (alias: string) => `arn:aws:lambda:us-east-1:000000000000:function:gateway:${alias}`
  const sourceAs = (alias: string) => {
    const endpoint = `http://127.0.0.1:${(lambda.address() as AddressInfo).port}`
    return createSqsTaskSource({
      gateway: gateway(alias),
      lambda: new LambdaClient({
        region: 'us-east-1',
        endpoint,
        credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
      }),
    })
  }

  beforeAll(async () => {
    api = await anAwsApi()
    lambda = await startLambda(api)
    runner = startRunner({
      definition: await loadAgent(sleeper),
      agent: sleeper,
      source: sourceAs('sleeper'),
      slots: 2,
      secrets: [],
      orphanSeconds: 30,
      log: () => undefined,
    })
  })
  afterAll(async () => {
    await runner?.drain(1)
    lambda?.close()
    await api?.close()
  })

  it('enrols by the alias that it may invoke, receives from its own queues, and completes', async () => {
    const agent = await until(async () => (await api.get('/agents?capability=test.sleep')).body.items[0], {
      what: 'the agent',
    })
    expect(agent).toMatchObject({ name: 'sleeper' })
    const { id } = (await api.post('/tasks', { capability: 'test.sleep', input: { ms: 10 }, priority: 'urgent' })).body
    const done = await until(
      async () => {
        const { body } = await api.get(`/tasks/${id}`)
        return body.status === 'SUCCEEDED' ? body : undefined
      },
      { seconds: 40, what: 'the task' },
    )
    expect(done.result).toEqual({ slept: 10, attempt: 1 })
    const queue = `default.${agent.id}.1.0.0.urgent`
    await until(
      async () => {
        const { waiting, inFlight } = await api.platform.queues.depth(queue)
        return waiting + inFlight === 0
      },
      { what: 'the deletion of the message' },
    )
  })

  it('lets go of the message of a task that is cancelled while it runs', async () => {
    const { id } = (await api.post('/tasks', { capability: 'test.sleep', input: { ms: 60_000 } })).body
    const { items } = (await api.get('/agents?capability=test.sleep')).body
    const depth = () => api.platform.queues.depth(`default.${items[0].id}.1.0.0.normal`)
    await until(async () => (await api.get(`/tasks/${id}`)).body.status === 'RUNNING', { seconds: 40, what: 'the run' })
    expect((await depth()).inFlight).toBe(1)
    await api.post(`/tasks/${id}/cancel`, {})
    await until(async () => (await depth()).inFlight === 0, { seconds: 30, what: 'the deletion of the message' })
    expect((await depth()).waiting).toBe(0)
    const { items: attempts } = (await api.get(`/tasks/${id}/attempts`)).body
    expect(attempts).toMatchObject([{ outcome: 'CANCELLED', usage: { cpuSeconds: expect.any(Number) } }])
  }, 80_000)

  it('may act for itself alone', async () => {
    const other = sourceAs('somebody-else')
    const join = await other.send({ method: 'POST', path: '/instances', body: { agent: 'sleeper' } })
    expect(join).toMatchObject({ status: 403, body: { code: 'FORBIDDEN' } })
    expect((await other.send({ method: 'POST', path: '/agents', body: { name: 'sleeper-2' } })).status).toBe(403)
    expect((await sourceAs('').send({ method: 'GET', path: '/agents' })).status).toBe(401)
  })
})
