import {
  DescribeTasksCommand,
  ECSClient,
  ListTasksCommand,
  StopTaskCommand,
  UpdateServiceCommand,
  UpdateTaskProtectionCommand,
} from '@aws-sdk/client-ecs'
import { mockClient } from 'aws-sdk-client-mock'
import { afterEach, describe, expect, it } from 'vitest'
import { createEcsAgentHosts } from '#shared/platform/aws/ecs-agent-hosts.ts'
import { sdkError } from './errors.ts'

const ecs = mockClient(ECSClient)
afterEach(() => ecs.reset())

const hosts = () => createEcsAgentHosts({ client: new ECSClient({ region: 'us-east-1' }) })
const agent = { tenant: 'default', agent: 'code-reviewer', version: '1.0.0', source: 'main/reviewer' }
const arn = (id: string): string => `arn:aws:ecs:us-east-1:1:task/main/${id}`

describe('agents on ECS', () => {
  it('are scaled by the wanted count of their service', async () => {
    ecs.on(UpdateServiceCommand).resolves({})
    await hosts().scale(agent, 3)
    expect(ecs.commandCalls(UpdateServiceCommand)[0]?.args[0].input).toEqual({
      cluster: 'main',
      service: 'reviewer',
      desiredCount: 3,
    })
  })

  it('are named by cluster and service, and nothing else', async () => {
    for (const source of ['reviewer', 'a/b/c', '/b', 'a/', '../agents/reviewer'])
      await expect(hosts().scale({ ...agent, source }, 1)).rejects.toMatchObject({ code: 'INVALID' })
    await expect(hosts().stop('4711')).rejects.toMatchObject({ code: 'INVALID' })
  })

  it('are listed page by page and described a hundred at a time', async () => {
    const arns = Array.from({ length: 150 }, (_, at) => arn(String(at)))
    ecs
      .on(ListTasksCommand)
      .resolvesOnce({ taskArns: arns.slice(0, 100), nextToken: 'more' })
      .resolves({ taskArns: arns.slice(100) })
    ecs.on(DescribeTasksCommand).callsFake(({ tasks }) => ({
      tasks: tasks.map((taskArn: string) => ({ taskArn, lastStatus: 'RUNNING', createdAt: new Date(5) })),
    }))
    const found = await hosts().instances(agent)
    expect(found.map(({ id }) => id)).toEqual(arns)
    expect(found[0]).toEqual({ id: arns[0], state: 'RUNNING', startedAt: 5 })
    expect(ecs.commandCalls(ListTasksCommand)[1]?.args[0].input.nextToken).toBe('more')
  })

  it.each([
    ['PROVISIONING', 'RUNNING', 'STARTING'],
    ['PENDING', 'RUNNING', 'STARTING'],
    ['RUNNING', 'RUNNING', 'RUNNING'],
    ['RUNNING', 'STOPPED', 'DRAINING'],
    ['PENDING', 'STOPPED', 'DRAINING'],
    ['STOPPING', 'STOPPED', 'DRAINING'],
    ['STOPPED', 'STOPPED', 'STOPPED'],
  ])('that are %s and wanted %s are %s', async (lastStatus, desiredStatus, state) => {
    ecs.on(ListTasksCommand).resolves({ taskArns: [arn('1')] })
    ecs.on(DescribeTasksCommand).resolves({ tasks: [{ taskArn: arn('1'), lastStatus, desiredStatus }] })
    expect(await hosts().instances(agent)).toMatchObject([{ state }])
  })

  it('are none without a question when the service has no tasks', async () => {
    ecs.on(ListTasksCommand).resolves({ taskArns: [] })
    expect(await hosts().instances(agent)).toEqual([])
    expect(ecs.commandCalls(DescribeTasksCommand)).toEqual([])
  })

  it('are told to stop in their own cluster; one that has ended already needs no stop', async () => {
    ecs.on(StopTaskCommand).resolvesOnce({}).rejects(sdkError('InvalidParameterException'))
    await hosts().drain(arn('1'))
    await hosts().stop(arn('1'))
    expect(ecs.commandCalls(StopTaskCommand)[0]?.args[0].input).toMatchObject({ cluster: 'main', task: arn('1') })
    ecs.on(StopTaskCommand).rejects(sdkError('ServerException', { status: 500 }))
    await expect(hosts().stop(arn('1'))).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  })

  it('are protected for as long as ECS allows, and freed by 0', async () => {
    ecs.on(UpdateTaskProtectionCommand).resolves({})
    for (const minutes of [10, 100_000, 0]) await hosts().protect(arn('1'), minutes)
    const wanted = ecs.commandCalls(UpdateTaskProtectionCommand).map(({ args }) => args[0].input)
    expect(wanted).toMatchObject([
      { cluster: 'main', tasks: [arn('1')], protectionEnabled: true, expiresInMinutes: 10 },
      { protectionEnabled: true, expiresInMinutes: 2880 },
      { protectionEnabled: false },
    ])
  })

  it('are not taken for protected when ECS says that it failed', async () => {
    ecs.on(UpdateTaskProtectionCommand).resolves({ failures: [{ reason: 'TASK_NOT_VALID' }] })
    await expect(hosts().protect(arn('1'), 5)).rejects.toMatchObject({ code: 'INVALID', message: /TASK_NOT_VALID/ })
  })
})
