import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { registerAgent } from '#shared/domain/agents/register-agent.ts'
import type { Caller, Principal } from '#shared/domain/caller.ts'
import { DomainError } from '#shared/domain/domain-error.ts'
import { expireInstance } from '#shared/domain/instances/end-instance.ts'
import { getInstance } from '#shared/domain/instances/instance-store.ts'
import { joinInstance } from '#shared/domain/instances/join-instance.ts'
import { cancelTask } from '#shared/domain/tasks/cancel-task.ts'
import { completeTask } from '#shared/domain/tasks/complete-task.ts'
import { failTask } from '#shared/domain/tasks/fail-task.ts'
import { claimTasks } from '#shared/domain/tasks/lease-tasks.ts'
import { submitTask } from '#shared/domain/tasks/submit-task.ts'
import { getTask } from '#shared/domain/tasks/task-store.ts'
import type { Platform, Table, Write } from '#shared/platform/platform.ts'
import { aPlatform } from '#test/support/embedded.ts'

const as = (principal: Principal): Caller => ({ tenant: 'default', principal, requestId: 'model' })
const admin = as({ kind: 'key', id: 'model', role: 'admin' })

let opened: Awaited<ReturnType<typeof aPlatform>>
let platform: Platform

beforeAll(async () => {
  opened = await aPlatform()
  platform = opened.platform
  const capabilities = [{ name: 'model' }]
  await registerAgent(platform, admin, {
    name: 'model',
    type: 't',
    version: '1.0.0',
    capabilities,
    configuration: {},
    labels: {},
  })
})
afterAll(() => opened.close())

const join = async (): Promise<string> =>
  (await joinInstance(platform, admin, { agent: 'model', slots: 1, labels: {} })).instanceId
const submit = async (): Promise<string> => {
  const retry = { attempts: 100, initialSeconds: 0 }
  return (await submitTask(platform, admin, { agent: 'model', input: 1, labels: {}, retry }, async () => [])).id
}

/** What the protocol promises of one task, and of nothing else. */
type Model = {
  status: 'QUEUED' | 'RUNNING' | 'SCHEDULED' | 'ENDED'
  holder?: number
  fence?: string
  /** Each fence that was given out, and to whom, in the order of their leases. */
  given: { fence: string; holder: number }[]
  result?: string
}
type Real = { task: string; instances: string[] }

const codeOf = async (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'ok',
    (error: unknown) => (error instanceof DomainError ? error.code : String(error)),
  )

class Lease implements fc.AsyncCommand<Model, Real> {
  readonly by: number
  constructor(by: number) {
    this.by = by
  }
  check = () => true
  async run(model: Model, { task, instances }: Real): Promise<void> {
    const { value: instance } = await getInstance(platform, 'default', instances[this.by] ?? '')
    const [claimed] = (await claimTasks(platform, instance, [task])).tasks
    const wins = model.status === 'QUEUED' || (model.status === 'RUNNING' && model.holder === this.by)
    expect(claimed !== undefined).toBe(wins)
    const fence = claimed?.lease?.fence
    if (fence === undefined || model.status === 'RUNNING') return expect(fence).toBe(wins ? model.fence : undefined)
    expect(model.given.map((one) => one.fence)).not.toContain(fence)
    model.given.push({ fence, holder: this.by })
    Object.assign(model, { status: 'RUNNING', holder: this.by, fence })
  }
  toString = () => `Lease(${this.by})`
}

/** Completes, or fails, under the lease that was given out as number `which`, in whatever state that is. */
class End implements fc.AsyncCommand<Model, Real> {
  readonly which: number
  readonly succeeds: boolean
  constructor(which: number, succeeds: boolean) {
    this.which = which
    this.succeeds = succeeds
  }
  check = ({ given }: Readonly<Model>) => given.length > 0
  async run(model: Model, { task, instances }: Real): Promise<void> {
    const lease = model.given[this.which % model.given.length] as Model['given'][number]
    const { fence } = lease
    const caller = as({ kind: 'instance', id: instances[lease.holder] ?? '' })
    const before = (await getTask(platform, 'default', task)).value
    const failure = { fence, code: 'AGENT_ERROR', message: 'model', retryable: true }
    const code = await codeOf(
      this.succeeds
        ? completeTask(platform, caller, task, { fence, result: { by: fence } })
        : failTask(platform, caller, task, failure),
    )
    const current = model.status === 'RUNNING' && model.fence === fence
    const repeats = this.succeeds
      ? model.result === fence
      : before.answer?.fence === fence && before.failure?.message === 'model'
    expect(code).toBe(current || (repeats && (this.succeeds || !model.result)) ? 'ok' : 'STALE_FENCE')
    if (!current) return expect((await getTask(platform, 'default', task)).value).toEqual(before)
    Object.assign(model, { status: this.succeeds ? 'ENDED' : 'SCHEDULED', holder: undefined, fence: undefined })
    if (this.succeeds) model.result = fence
  }
  toString = () => `${this.succeeds ? 'Complete' : 'Fail'}(${this.which})`
}

class Expire implements fc.AsyncCommand<Model, Real> {
  readonly who: number
  constructor(who: number) {
    this.who = who
  }
  check = () => true
  async run(model: Model, { task, instances }: Real): Promise<void> {
    await expireInstance(platform, 'default', instances[this.who] ?? '', 'model')
    const { value } = await getTask(platform, 'default', task)
    if (model.holder !== this.who) return expect(value.lease?.fence).toBe(model.fence)
    Object.assign(model, {
      status: value.status === 'FAILED' ? 'ENDED' : 'QUEUED',
      holder: undefined,
      fence: undefined,
    })
    expect(value.status).toBe(value.leaseLosses >= 5 ? 'FAILED' : 'QUEUED')
  }
  toString = () => `Expire(${this.who})`
}

class Cancel implements fc.AsyncCommand<Model, Real> {
  check = () => true
  async run(model: Model, { task }: Real): Promise<void> {
    const before = (await getTask(platform, 'default', task)).value.status
    const code = await codeOf(cancelTask(platform, admin, task))
    expect(code).toBe(model.status === 'ENDED' && before !== 'CANCELLED' ? 'ALREADY_FINISHED' : 'ok')
    Object.assign(model, { status: 'ENDED', holder: undefined, fence: undefined })
  }
  toString = () => 'Cancel'
}

describe('the lease protocol', () => {
  it('does what its model says, in whatever order instances lease, end, vanish and come back as zombies', async () => {
    const who = fc.nat(2)
    const commands = [
      who.map((by) => new Lease(by)),
      who.map((by) => new Lease(by)),
      fc.tuple(fc.nat(9), fc.boolean()).map(([which, succeeds]) => new End(which, succeeds)),
      who.map((by) => new Expire(by)),
      fc.constant(new Cancel()),
    ]
    await fc.assert(
      fc.asyncProperty(fc.commands(commands, { maxCommands: 14 }), async (sequence) => {
        const real = { task: await submit(), instances: await Promise.all([join(), join(), join()]) }
        await fc.asyncModelRun(() => ({ model: { status: 'QUEUED', given: [] } as Model, real }), sequence)
      }),
      { numRuns: 40, interruptAfterTimeLimit: 8000 },
    )
  })

  /** Two instances claim one task and complete it, whatever comes first at each call of the table. */
  const race = (rig: (table: Table) => Table): Promise<fc.RunDetails<[fc.Scheduler]>> =>
    fc.check(
      fc.asyncProperty(fc.scheduler(), async (s) => {
        const task = await submit()
        const instances = await Promise.all([join(), join()])
        const main = rig(platform.main)
        const write = s.scheduleFunction((one: Write) => main.write(one))
        const get = s.scheduleFunction((key: Parameters<Table['get']>[0]) => main.get(key))
        const scheduled: Platform = { ...platform, main: { ...main, write, get: get as Table['get'] } }
        const worker = async (id: string): Promise<string> => {
          const { value: instance } = await getInstance(platform, 'default', id)
          const [claimed] = (await claimTasks(scheduled, instance, [task])).tasks
          const fence = claimed?.lease?.fence
          if (fence === undefined) return 'lost the race'
          return codeOf(completeTask(scheduled, as({ kind: 'instance', id }), task, { fence, result: id }))
        }
        const outcomes = await s.waitFor(Promise.all(instances.map(worker)))
        expect([...outcomes].sort()).toEqual(['lost the race', 'ok'])
      }),
      { numRuns: 60, interruptAfterTimeLimit: 6000 },
    )

  it('gives a task to one of two that claim it at once, in any interleaving of their reads and writes', async () => {
    expect((await race((table) => table)).errorInstance).toBeNull()
  })

  it('is found out at once when writes happen whatever revision is stored', async () => {
    const careless = (table: Table): Table => ({ ...table, write: (write) => table.write({ ...write, expect: 'any' }) })
    expect((await race(careless)).failed).toBe(true)
  })
})
