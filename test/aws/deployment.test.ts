import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Joined, LeaseAnswer } from '#shared/contracts/worker.ts'
import { aRepository, type TestRepository } from '#test/support/git-repository.ts'
import { until } from '#test/support/server-process.ts'
import { awaited, callsOf, type Json } from './calls.ts'
import { askForWorkflows } from './custom-resources.ts'
import { type Deployment, deploy, type Reasons } from './deployment.ts'
import { type EmulatorName, startEmulator } from './emulator.ts'
import { type FargateTask, startFargateTask } from './fargate.ts'
import { batchScenarios } from './scenarios/batches.ts'
import { controlScenarios } from './scenarios/control.ts'
import { conversationScenarios } from './scenarios/conversation.ts'
import { eventScenarios } from './scenarios/events.ts'
import { type MessagesCannot, messageScenarios } from './scenarios/messages.ts'
import { orderScenarios } from './scenarios/order.ts'
import { type RunsCannot, runScenarios } from './scenarios/runs.ts'
import { timeScenarios } from './scenarios/time.ts'
import { topicScenarios } from './scenarios/topics.ts'

const noArchive = 'it keeps no events for a replay'
const noFlowLogs = 'it has no network whose traffic could be logged'
const noSockets = 'it has no WebSocket APIs; the edge tests call their function'
const noVersions = 'its CloudFormation has no versions of state machines; the platform publishes its own'
const noBranches =
  'its Parallel has no Output, branches share a token, a step tried again keeps its own, and variables get lost'
const noCustom = 'it runs no custom resources: the suite asks their function'
const noContainers = 'it has no ECS: the suite plays it'

type Row = { refused: Reasons; recordedOnly: Reasons; batchRows: number; cannot: RunsCannot & MessagesCannot }

/** What each emulator cannot take; every other resource of the app must exist. One of them does a large batch. */
const rows: [EmulatorName, Row][] = [
  [
    'ministack',
    {
      refused: {
        'AWS::Events::Archive': noArchive,
        'AWS::EC2::FlowLog': noFlowLogs,
        'AWS::StepFunctions::StateMachineVersion': noVersions,
        'AWS::StepFunctions::StateMachineAlias': noVersions,
      },
      recordedOnly: {},
      batchRows: 1000,
      cannot: { branches: noBranches },
    },
  ],
  [
    'ministack-enforced',
    {
      refused: {},
      recordedOnly: { 'AWS::Events::Archive': noArchive, 'AWS::EC2::FlowLog': noFlowLogs },
      batchRows: 120,
      cannot: { branches: noBranches },
    },
  ],
  [
    'localstack',
    {
      refused: {},
      batchRows: 120,
      cannot: { stop: 'a run that is stopped waits for its step', sockets: noSockets },
      recordedOnly: {
        'AWS::Events::Archive': noArchive,
        'AWS::EC2::FlowLog': noFlowLogs,
        'AWS::CloudWatch::Dashboard': 'it draws no dashboards',
        'AWS::ECS::Cluster': noContainers,
        'AWS::ECS::Service': noContainers,
        'AWS::ECS::TaskDefinition': noContainers,
        'Custom::DevCycleWorkflow': noCustom,
        'AWS::StepFunctions::StateMachineVersion': noVersions,
        'AWS::StepFunctions::StateMachineAlias': noVersions,
        'AWS::ApiGatewayV2::Api': noSockets,
        'AWS::ApiGatewayV2::Integration': noSockets,
        'AWS::ApiGatewayV2::Route': noSockets,
        'AWS::ApiGatewayV2::Stage': noSockets,
      },
    },
  ],
]

const files = {
  'package.json': '{ "name": "small", "scripts": { "test": "node --test" } }\n',
  'cart.js': 'export const total = (items) => eval(process.argv[2]) + items.length\n',
  'cart.test.js': "import { test } from 'node:test'\ntest('adds', () => {})\n",
}

describe.each(rows)('the app deployed to %s', (name, { refused, recordedOnly, batchRows, cannot }) => {
  let app: Deployment
  let repository: TestRepository
  const running: FargateTask[] = []

  beforeAll(async () => {
    repository = aRepository(files)
    app = await deploy(await startEmulator(name), refused)
    if ('Custom::DevCycleWorkflow' in recordedOnly) await askForWorkflows(app)
  })
  afterAll(async () => {
    for (const task of running) task.kill()
    repository?.remove()
    await app?.emulator.stop()
    app?.remove()
  })

  const calls = callsOf(() => app)
  const { call, json, ended } = calls
  const startAgent = (agent: string): FargateTask => {
    const task = startFargateTask(app, agent)
    running.push(task)
    return task
  }
  const registered = async (agent: string): Promise<boolean> =>
    (await json('agents', 'list')).items.some((one: Json) => one.name === agent)
  /** Sees to it that agents run; another test may have started them. */
  const agents = async (...names: string[]): Promise<void> => {
    for (const agent of names) {
      if (await registered(agent)) continue
      startAgent(agent)
      await until(() => registered(agent), { seconds: 150, what: agent })
    }
  }
  it('exists, all but what the emulator cannot have', () => {
    const missing = app.resources.filter(
      ({ ResourceType = '', PhysicalResourceId = 'unknown' }) =>
        /^unknown/i.test(PhysicalResourceId) && recordedOnly[ResourceType] === undefined,
    )
    expect(
      missing.map(({ stack, LogicalResourceId, ResourceType }) => [stack, LogicalResourceId, ResourceType]),
    ).toEqual([])
    expect(app.resources.length).toBeGreaterThan(100)
    expect(app.outputs).toMatchObject({
      ApiUrl: expect.stringMatching(/^https:/),
      AgentGatewayFunction: 'devcycle-dev-agent-gateway',
      EventBusName: 'devcycle-dev',
      MainTable: expect.stringContaining('Main'),
    })
  })

  it('lets nobody in without the key that was made for it', async () => {
    expect((await call('GET', '/agents', { key: 'dck_wrong' })).status).toBe(401)
    expect((await call('GET', '/agents')).status).toBe(200)
  })

  it('reviews a repository with an agent that runs by its task definition', async () => {
    await agents('code-reviewer')
    const { code, stdout, stderr } = await app.cli('review', repository.folder)
    expect({ code, stderr }).toMatchObject({ code: 1 })
    expect(stdout).toMatch(/cart\.js:1\s+error\s+devcycle\/js-eval/)
  })

  it('takes the same submit once', async () => {
    const body = { capability: 'nobody.offers', input: { n: 1 } }
    const headers = { 'idempotency-key': `once-${Date.now()}` }
    const [first, again] = [
      await call('POST', '/tasks', { body, headers }),
      await call('POST', '/tasks', { body, headers }),
    ]
    expect(first.status).toBe(202)
    expect(again.body.id).toBe(first.body.id)
    expect((await call('POST', '/tasks', { body: { ...body, input: { n: 2 } }, headers })).status).toBe(409)
    expect((await call('POST', `/tasks/${first.body.id}/cancel`)).body.status).toBe('CANCELLED')
  })

  it('refuses the worker whose lease another one has', async () => {
    const agent = { name: 'outside', type: 'external', capabilities: [{ name: 'outside.work' }] }
    expect((await call('POST', '/agents', { body: agent })).status).toBe(201)
    const { id } = (await call('POST', '/tasks', { body: { capability: 'outside.work' } })).body
    const join = async (): Promise<Joined> => (await call('POST', '/instances', { body: { agent: 'outside' } })).body
    const lease = async ({ instanceId, token }: Joined) =>
      until(
        async () => {
          const path = `/instances/${instanceId}/lease?wait=5`
          return ((await call('POST', path, { body: { max: 1 }, key: token })).body as LeaseAnswer).tasks[0]
        },
        { seconds: 150, what: 'a lease' },
      )
    const [left, other] = [await join(), await join()]
    const stale = await lease(left)
    await call('DELETE', `/instances/${left.instanceId}`, { key: left.token })
    const current = await lease(other)
    expect([current.taskId, current.fence === stale.fence]).toEqual([id, false])
    const late = await call('POST', `/tasks/${id}/complete`, {
      body: { fence: stale.fence, result: 'late' },
      key: left.token,
    })
    expect([409, 401]).toContain(late.status)
    const wrong = await call('POST', `/tasks/${id}/complete`, {
      body: { fence: stale.fence, result: 1 },
      key: other.token,
    })
    expect(wrong).toMatchObject({ status: 409, body: { code: 'STALE_FENCE' } })
    const done = { body: { fence: current.fence, result: 'in time' }, key: other.token }
    expect((await call('POST', `/tasks/${id}/complete`, done)).status).toBe(200)
    expect((await call('POST', `/tasks/${id}/complete`, done)).status).toBe(200)
    expect((await call('GET', `/tasks/${id}/result`)).body).toBe('in time')
  })

  describe.concurrent('its engine', () => {
    batchScenarios(calls, batchRows)

    it('runs the task of a killed agent again', async () => {
      const first = startAgent('test-runner')
      await until(async () => (await json('agents', 'list')).items.some((one: Json) => one.name === 'test-runner'), {
        seconds: 40,
        what: 'the test runner',
      })
      const input = JSON.stringify({ command: ['sleep', '4'] })
      const submit = [
        'tasks',
        'submit',
        '--capability',
        'tests.run',
        '--repository',
        repository.folder,
        '--input',
        input,
      ]
      const { id } = await json(...submit)
      await until(async () => (await call('GET', `/tasks/${id}`)).body.status === 'RUNNING', {
        seconds: 30,
        what: 'a start',
      })
      first.kill()
      startAgent('test-runner')
      expect(await ended(id, 110)).toMatchObject({ status: 'SUCCEEDED', result: { status: 'passed' } })
      const attempts = await awaited(async () => {
        const { items } = await calls.get(`/tasks/${id}/attempts`)
        return items.every((one: Json) => one.outcome !== 'RUNNING') && items.length > 1 && items
      }, 'its history')
      expect(attempts.map((one: Json) => one.outcome).toSorted()).toEqual(['LEASE_LOST', 'SUCCEEDED'])
      const events = (await call('GET', `/tasks/${id}/events?limit=200`)).body.items
      expect(events.map((one: Json) => one.seq)).toEqual(events.map((_: Json, at: number) => at + 1))
    })

    orderScenarios(calls)
    controlScenarios(calls)
    conversationScenarios(() => app, calls)
    timeScenarios(calls)
    topicScenarios(calls)
    messageScenarios(() => app, calls, cannot)
    runScenarios(() => app, calls, { agents, repository: () => repository, cannot })
  })

  eventScenarios(
    () => app,
    calls,
    () => repository,
  )

  it('answers every command', async () => {
    const [agent] = (await json('agents', 'list')).items
    expect(await json('agents', 'get', agent.name)).toMatchObject({ id: agent.id })
    const [task] = (await json('tasks', 'list', '--capability', 'code.review')).items
    expect(await json('tasks', 'get', task.id)).toMatchObject({ id: task.id, status: 'SUCCEEDED' })
    expect(await json('tasks', 'result', task.id)).toHaveProperty('sarif.version', '2.1.0')
    expect((await app.cli('tasks', 'events', task.id)).stdout).toContain('SUCCEEDED')
    const submitted = await json('tasks', 'submit', '--capability', 'nobody.offers')
    expect(await json('tasks', 'cancel', submitted.id)).toMatchObject({ status: 'CANCELLED' })
  })

  it('lets an agent finish and leave when ECS stops it', async () => {
    const reviewer = running[0]
    await reviewer?.stop()
    expect(reviewer?.child.exitCode).toBe(0)
  })
})
