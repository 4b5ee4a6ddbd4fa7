import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sweep } from '#functions/sweep/sweep.ts'
import { expireInstance } from '#shared/domain/instances/end-instance.ts'
import { whyCodes } from '#shared/domain/why/cause.ts'
import { noteColdStart } from '#shared/domain/why/cold-start.ts'
import { anApi, anAwsApi, type TestApi } from '#test/support/api.ts'
import { dynoxideBinary } from '#test/support/aws-servers.ts'
import { eventually } from '#test/support/eventually.ts'
import { aSkewedClock } from '#test/support/skewed-clock.ts'

const clock = aSkewedClock()
const hosts = [
  { host: 'the embedded host', open: () => anApi({ clock }) },
  ...(dynoxideBinary() === undefined ? [] : [{ host: 'AWS', open: anAwsApi }]),
]

type Joined = { instanceId: string; token: string }
type Leased = { taskId: string; fence: string }
let api: TestApi
const seen = new Set<string>()

const register = (name: string, more = {}) => api.post('/agents', { name, capabilities: [{ name }], ...more })
const join = async (agent: string, slots = 1): Promise<Joined> => (await api.post('/instances', { agent, slots })).body
const lease = async ({ instanceId, token }: Joined, max = 1): Promise<Leased[]> =>
  (await api.post(`/instances/${instanceId}/lease?wait=1`, { max }, { key: token })).body.tasks
const submit = async (capability: string, more = {}): Promise<string> =>
  (await api.post('/tasks', { capability, ...more })).body.id
const tell = (verb: string, { token }: Joined, { taskId, fence }: Leased, body: object) =>
  api.post(`/tasks/${taskId}/${verb}`, { fence, ...body }, { key: token })
const why = async (task: string) => {
  const { status, body } = await api.get(`/tasks/${task}/why`)
  expect(status).toBe(200)
  expect(body.message).toMatch(/\S+ \S+/)
  expect(body.wouldChange).toMatch(/\S+ \S+/)
  seen.add(body.code)
  return body
}

describe.each(hosts)('why, on $host', ({ host, open }) => {
  beforeAll(async () => {
    api = await open()
  })
  afterAll(() => api?.close())

  it('names who is missing, and what does not suit', async () => {
    expect(await why(await submit('rare'))).toMatchObject({
      code: 'NO_CAPABLE_AGENT',
      evidence: { capability: 'rare' },
    })
    await register('plain')
    const picky = await submit('plain', { requirements: { labels: { zone: 'eu' } } })
    expect(await why(picky)).toMatchObject({ code: 'NO_CAPABLE_AGENT', message: expect.stringContaining('zone') })
  })

  it('tells no instance, one that starts, and some that drain apart', async () => {
    await register('cold')
    const id = await submit('cold')
    expect(await why(id)).toMatchObject({ code: 'NO_INSTANCE', evidence: { agent: 'cold' } })
    await noteColdStart(api.platform, 'default', { agentName: 'cold', count: 1 })
    expect(await why(id)).toMatchObject({ code: 'COLD_START', evidence: { starting: 1 } })
    await register('drains')
    const joined = await join('drains')
    const other = await submit('drains')
    await api.post(`/instances/${joined.instanceId}/heartbeat`, { state: 'MAINTENANCE' }, { key: joined.token })
    expect(await why(other)).toMatchObject({ code: 'VERSION_DRAINING' })
  })

  it('knows the position in the lane, behind what is above it, and when it should start', async () => {
    await register('busy')
    const joined = await join('busy')
    await submit('busy')
    const [first] = await lease(joined)
    await tell('complete', joined, first as Leased, { result: 1 })
    const runs = await submit('busy')
    await lease(joined)
    await submit('busy')
    const last = await submit('busy')
    const urgent = await submit('busy', { priority: 'urgent' })
    expect(await why(urgent)).toMatchObject({ code: 'ALL_SLOTS_BUSY', evidence: { position: 1, slots: 1, running: 1 } })
    expect(await why(last)).toMatchObject({ code: 'ALL_SLOTS_BUSY', evidence: { position: 3, lane: 'normal' } })
    expect(await why(runs)).toMatchObject({ code: 'RUNNING', evidence: { instance: joined.instanceId, attempt: 1 } })
  })

  it('names the reserve that keeps the last slots free for higher lanes', async () => {
    await register('guarded', { configuration: { reservedSlots: 1 } })
    const joined = await join('guarded', 2)
    await submit('guarded')
    await lease(joined)
    const held = await submit('guarded')
    expect(await lease(joined)).toEqual([])
    expect(await why(held)).toMatchObject({
      code: 'ALL_SLOTS_BUSY',
      message: expect.stringContaining('1 more is kept free for higher lanes'),
      evidence: { slots: 2, running: 1, reserved: 1, position: 1 },
    })
  })

  it('names the limit and who has its places, and the next token of a rate', async () => {
    await register('few', { configuration: { maxConcurrentTasks: 1 } })
    const joined = await join('few', 5)
    const holds = await submit('few')
    await lease(joined)
    const held = await submit('few')
    expect(await lease(joined)).toEqual([])
    expect(await why(held)).toMatchObject({ code: 'LIMIT', evidence: { heldBy: [holds] } })
    await register('slow')
    await api.request('PATCH', '/limits', { body: { agents: { slow: { rate: { count: 1, seconds: 3600 } } } } })
    const other = await join('slow', 5)
    await submit('slow')
    await lease(other)
    const late = await submit('slow')
    const nextTokenAt = expect.stringMatching(/Z$/)
    expect(await why(late)).toMatchObject({ code: 'RATE', evidence: { nextTokenAt } }) // before anybody asks for it
    expect(await lease(other)).toEqual([])
    expect(await why(late)).toMatchObject({ code: 'RATE', evidence: { nextTokenAt } })
  })

  it('names who has reserved the last seconds of a budget', async () => {
    await register('short')
    const joined = await join('short', 5)
    const waits = await submit('short', { budget: { seconds: 40 } })
    const has = await submit('short', { parent: waits, budget: { seconds: 40 } })
    expect((await lease(joined)).map(({ taskId }) => taskId)).toEqual([has])
    expect(await why(waits)).toMatchObject({
      code: 'BUDGET',
      message: `what is left of the 40 seconds of the budget of ${waits} is reserved by ${has}`,
      evidence: { budget: waits, seconds: 40, reservedBy: [{ task: has, seconds: 40 }] },
    })
  })

  it('says that the agent is paused, in maintenance, in error, or gone', async () => {
    await register('rests')
    await join('rests')
    const id = await submit('rests')
    await api.post('/agents/rests/pause')
    expect(await why(id)).toMatchObject({ code: 'PAUSED' })
    await api.post('/agents/rests/maintenance')
    expect(await why(id)).toMatchObject({ code: 'MAINTENANCE' })
    await api.post('/agents/rests/resume')
    await join('rests')
    expect((await why(id)).code).toBe('DISPATCHING')
  })

  it('tells a start time from a back-off, and counts its attempts', async () => {
    const runAt = new Date(api.platform.clock.now() + 3_600_000).toISOString()
    expect(await why(await submit('later', { runAt }))).toMatchObject({ code: 'START_TIME', evidence: { runAt } })
    await register('fails')
    const joined = await join('fails')
    const id = await submit('fails', { retry: { initialSeconds: 3600, maxSeconds: 3600 } })
    const [task] = await lease(joined)
    await tell('fail', joined, task as Leased, { code: 'FLAKY', message: 'not today', retryable: true })
    expect(await why(id)).toMatchObject({
      code: 'BACK_OFF',
      evidence: { attempt: 1, maxAttempts: 3, failure: { code: 'FLAKY' } },
    })
  })

  it('of a distributed task is why its first open shard does not run', async () => {
    const id = await submit('nobody.here', { shards: { list: [1, 2] } })
    await eventually(async () =>
      expect(await why(id)).toMatchObject({
        code: 'NO_CAPABLE_AGENT',
        message: expect.stringMatching(/^2 of 2 shards are not done; shard 0, tsk_\w+: no agent/),
        evidence: { shards: { total: 2, done: 0 }, shard: 0 },
      }),
    )
  })

  it('names whose word is waited for, and until when', async () => {
    await register('asks')
    const joined = await join('asks', 2)
    await Promise.all([submit('asks'), submit('asks')])
    const [one, two] = (await lease(joined, 2)) as [Leased, Leased]
    await tell('wait', joined, one, { kind: 'input', prompt: 'which?' })
    await tell('wait', joined, two, { kind: 'approval', prompt: 'ship?', approvers: ['ada'] })
    expect(await why(one.taskId)).toMatchObject({ code: 'WAITING_FOR_INPUT', evidence: { prompt: 'which?' } })
    expect(await why(two.taskId)).toMatchObject({
      code: 'WAITING_FOR_APPROVAL',
      message: expect.stringContaining('ada'),
      evidence: { approvers: ['ada'] },
    })
  })

  it('says that the lease was lost while nobody else is there', async () => {
    await register('dies')
    const joined = await join('dies')
    const id = await submit('dies')
    await lease(joined)
    await expireInstance(api.platform, 'default', joined.instanceId, 'its process ended')
    expect(await why(id)).toMatchObject({ code: 'LEASE_LOST', message: expect.stringContaining('its process ended') })
  })

  it('says that tasks of a key belong to an instance that is busy', async () => {
    await register('sticky')
    const joined = await join('sticky')
    await submit('sticky', { affinityKey: 'repo' })
    await lease(joined)
    const id = await submit('sticky', { affinityKey: 'repo' })
    expect(await why(id)).toMatchObject({
      code: 'AFFINITY',
      evidence: { affinityKey: 'repo', instance: joined.instanceId },
    })
  })

  it('tells how a task ended: by whom, by what, with which code', async () => {
    await register('ends')
    const joined = await join('ends')
    const cancelled = await submit('ends')
    await api.post(`/tasks/${cancelled}/cancel`)
    expect(await why(cancelled)).toMatchObject({ code: 'CANCELLED', evidence: { by: expect.stringMatching(/^key:/) } })
    const succeeds = await submit('ends')
    await tell('complete', joined, (await lease(joined))[0] as Leased, { result: 1 })
    expect((await why(succeeds)).code).toBe('SUCCEEDED')
    const fails = await submit('ends')
    await tell('fail', joined, (await lease(joined))[0] as Leased, { code: 'LINT', message: 'broke', retryable: false })
    expect(await why(fails)).toMatchObject({ code: 'AGENT_ERROR', message: 'it failed with LINT: broke' })
    const crashes = await submit('ends', { retry: { attempts: 2, initialSeconds: 0 } })
    for (let n = 0; n < 2; n++) {
      const [task] = await lease(joined)
      await tell('fail', joined, task as Leased, { code: 'CRASH', message: 'exit 1', retryable: true })
      if (n === 0) await api.post(`/tasks/${crashes}/retry`)
    }
    expect(await why(crashes)).toMatchObject({ code: 'POISON' })
    const spends = await submit('ends', { budget: { tokens: 10 } })
    const [task] = await lease(joined)
    await tell('complete', joined, task as Leased, { result: 1, usage: { tokens: 50 } })
    expect(await why(spends)).toMatchObject({ code: 'BUDGET' })
    const large = await asked(joined)
    await tell('fail', joined, large, { code: 'RESOURCE_LIMIT', message: '337 MB', retryable: false })
    expect(await why(large.taskId)).toMatchObject({ code: 'RESOURCE_LIMIT' })
    const posing = await asked(joined)
    await tell('fail', joined, posing, { code: 'BUDGET', message: 'of my own', retryable: false })
    expect(await why(posing.taskId)).toMatchObject({ code: 'AGENT_ERROR', message: 'it failed with BUDGET: of my own' })
    await tell('wait', joined, await asked(joined), { kind: 'approval', prompt: 'ok?' })
    const [approval] = (await api.get('/approvals?state=PENDING')).body.items
    await api.post(`/approvals/${approval.id}/reject`, { comment: 'no' })
    expect(await why(approval.task)).toMatchObject({ code: 'REJECTED' })
  })

  const asked = async (joined: Joined): Promise<Leased> => {
    await submit('ends')
    return (await lease(joined))[0] as Leased
  }

  it.runIf(host === 'the embedded host')('knows time-outs and deadlines (its clock is the test’s)', async () => {
    await register('times')
    const joined = await join('times')
    const slow = await submit('times', { timeoutSeconds: 5, retry: { attempts: 1 } })
    await lease(joined)
    const late = await submit('times', { deadline: new Date(clock.now() + 10_000).toISOString() })
    clock.forward(11_000)
    expect((await why(late)).code).toBe('DEADLINE')
    await sweep(api.platform)
    expect((await why(slow)).code).toBe('TIMEOUT')
    expect(await why(late)).toMatchObject({ code: 'DEADLINE', message: expect.stringContaining('it failed') })
    const [asking] = await submit('times').then(() => lease(joined))
    await tell('wait', joined, asking as Leased, { kind: 'input', prompt: '?', expiresInSeconds: 5 })
    clock.forward(6000)
    await sweep(api.platform)
    expect(await why(asking?.taskId ?? '')).toMatchObject({
      code: 'TIMEOUT',
      wouldChange: expect.stringContaining('expiresInSeconds'),
    })
  })
})

describe('every code', () => {
  it('is built above, but for those that only a fault of the storage or a rollout can make', () => {
    const apart = ['AGENT_ERROR_STATE', 'AGENT_DECOMMISSIONED']
    expect(whyCodes.filter((code) => !seen.has(code) && !apart.includes(code))).toEqual([])
  })
})
