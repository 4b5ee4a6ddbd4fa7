import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkInput } from '#functions/api/check-input.ts'
import { readMessage } from '#functions/api/read-message.ts'
import { readSubmit } from '#functions/api/read-submit.ts'
import { endRun } from '#shared/domain/workflows/end-run.ts'
import { endOpenSteps } from '#shared/domain/workflows/steps/abandon-steps.ts'
import { runStep } from '#shared/domain/workflows/steps/run-step.ts'
import type { Table } from '#shared/platform/platform.ts'
import { anApi, type TestApi } from '#test/support/api.ts'
import { eventually } from '#test/support/eventually.ts'
import { aRowWorker } from '#test/support/row-worker.ts'
import { stepOf, workflowRuns } from '#test/support/workflow-runs.ts'

let api: TestApi
let worker: Awaited<ReturnType<typeof aRowWorker>>
/** What was said by tasks whose steps have effects, in order. */
const effects: string[] = []

beforeAll(async () => {
  api = await anApi()
  worker = await aRowWorker(api, 'hand', ['effect', 'echo'], (input, { capability }) => {
    const { say, fail } = input as { say?: string; fail?: string }
    if (fail !== undefined) return { fails: { code: fail, message: 'as it was told' } }
    if (capability === 'effect') effects.push(String(say))
    return { result: { said: say ?? input } }
  })
})
afterAll(() => Promise.all([worker?.stop(), api?.close()]))

const { save, start, ended, outcome } = workflowRuns(() => api)
const tools = { checkInput, readSubmit, readMessage }

describe('a command that comes twice', () => {
  it('begins one task, which its step waits for', async () => {
    const definition = `
workflow: repeated-commands
steps: [{ name: first, kind: wait, for: 1h }, { name: rare, kind: task, capability: rare }]
`
    const { id: run } = await start(await save(definition))
    const step = { kind: 'task', name: 'rare', capability: 'rare', timeoutSeconds: 60 }
    const seen = async () => {
      await runStep(api.platform, { tenant: 'default', run, token: 'twice', step }, tools)
      return stepOf((await api.get(`/runs/${run}`)).body, 'rare')
    }
    const begun = await seen()
    expect(begun).toMatchObject({ state: 'RUNNING', task: expect.stringMatching(/^tsk_/) })
    await api.platform.clock.sleep(5)
    expect(await seen()).toEqual(begun)
    await api.post(`/runs/${run}/stop`, {})
  })
})

describe('a step that begins while its run ends', () => {
  it('is given up, and waits for no message', async () => {
    const definition = `
workflow: ending
steps: [{ name: first, kind: wait, for: 1h }, { name: heard, kind: waitForEvent, topic: ending }]
`
    const { id: run } = await start(await save(definition))
    const { main, ...ports } = api.platform
    const write: Table['write'] = async (one) => {
      if (one.op === 'put' && one.item.type === 'run-step') {
        await api.post(`/runs/${run}/stop`, {})
        await ended(run)
      }
      return main.write(one)
    }
    const overtaken = { ...ports, main: { ...main, write } }
    const step = { kind: 'waitForEvent', name: 'heard', topic: 'ending', timeoutSeconds: 60 }
    await runStep(overtaken, { tenant: 'default', run, token: 'ending', step }, tools)
    expect(stepOf((await api.get(`/runs/${run}`)).body, 'heard')).toMatchObject({ state: 'ABANDONED' })
    const { items } = (await api.get('/subscriptions')).body
    expect(items.filter(({ topic }: { topic: string }) => topic === 'ending')).toEqual([])
  })
})

describe('a step that is given up before it was noted what began for it', () => {
  it('takes that with it when its command comes again', async () => {
    const definition = `
workflow: unnoted
steps: [{ name: first, kind: wait, for: 1h }, { name: heard, kind: waitForEvent, topic: unnoted }]
`
    const { id: run } = await start(await save(definition))
    const { main, ...ports } = api.platform
    const write: Table['write'] = async (one) => {
      if (one.op === 'put' && one.item.type === 'run-step' && one.expect !== 'absent') throw new Error('it died')
      return main.write(one)
    }
    const step = { kind: 'waitForEvent', name: 'heard', topic: 'unnoted', timeoutSeconds: 60 }
    const command = { tenant: 'default', run, token: 'unnoted', step }
    const waiting = async () =>
      (await api.get('/subscriptions')).body.items.filter(({ topic }: { topic: string }) => topic === 'unnoted')
    await expect(runStep({ ...ports, main: { ...main, write } }, command, tools)).rejects.toThrow('it died')
    await endOpenSteps(api.platform, { tenant: 'default', id: run }, { why: 'nobody waits for it' })
    expect(await waiting()).toHaveLength(1)
    await runStep(api.platform, command, tools)
    expect(await waiting()).toEqual([])
    await api.post(`/runs/${run}/stop`, {})
  })

  it('takes with it what is noted in that moment', async () => {
    const definition = `
workflow: noted
steps: [{ name: first, kind: wait, for: 1h }, { name: heard, kind: waitForEvent, topic: noted }]
`
    const { id: run } = await start(await save(definition))
    const { main, ...ports } = api.platform
    const write: Table['write'] = async (one) => {
      if (one.op === 'put' && one.item.type === 'run-step' && one.expect !== 'absent') throw new Error('it died')
      return main.write(one)
    }
    const step = { kind: 'waitForEvent', name: 'heard', topic: 'noted', timeoutSeconds: 60 }
    const command = { tenant: 'default', run, token: 'noted', step }
    await expect(runStep({ ...ports, main: { ...main, write } }, command, tools)).rejects.toThrow('it died')
    const query: Table['query'] = async (asked) => {
      const page = await main.query(asked)
      await runStep(api.platform, command, tools)
      return page as never
    }
    const overtaken = { ...ports, main: { ...main, query } }
    await endOpenSteps(overtaken, { tenant: 'default', id: run }, { why: 'nobody waits for it' })
    const { items } = (await api.get('/subscriptions')).body
    expect(items.filter(({ topic }: { topic: string }) => topic === 'noted')).toEqual([])
    await api.post(`/runs/${run}/stop`, {})
  })
})

describe('a step that is given up while its task is submitted', () => {
  it('takes the task with it', async () => {
    const definition = `
workflow: given-up
steps: [{ name: first, kind: wait, for: 1h }, { name: rare, kind: task, capability: rare }]
`
    const { id: run } = await start(await save(definition))
    const step = { kind: 'task', name: 'rare', capability: 'rare', timeoutSeconds: 60 }
    const { main, ...ports } = api.platform
    const write: Table['write'] = async (one) => {
      if (one.op === 'put' && one.item.type === 'task')
        await endOpenSteps(api.platform, { tenant: 'default', id: run }, { why: 'nobody waits for it' })
      return main.write(one)
    }
    const overtaken = { ...ports, main: { ...main, write } }
    await runStep(overtaken, { tenant: 'default', run, token: 'given up', step }, tools)
    const { task, state } = stepOf((await api.get(`/runs/${run}`)).body, 'rare') as { task?: string; state?: string }
    expect(state).toBe('ABANDONED')
    expect((await api.get(`/tasks/${task}`)).body.status).toBe('CANCELLED')
    await api.post(`/runs/${run}/stop`, {})
  })
})

describe('a command that comes late', () => {
  it('still sends what a run that succeeded has said last', async () => {
    const { id: run } = await outcome(`
workflow: last-words
steps: [{ name: done, kind: set, value: 1 }]
`)
    const said = async (id: string, topic: string) => {
      const step = { kind: 'message', name: id, topic, body: { id } }
      await runStep(api.platform, { tenant: 'default', run, id, step }, tools)
      return stepOf((await api.get(`/runs/${run}`)).body, id)
    }
    expect(await said('last', 'last-words')).toMatchObject({ state: 'SUCCEEDED' })
    const main = { ...api.platform.main }
    const put: Table['write'] = async (one) => {
      const outcome = await api.platform.main.write(one)
      const kept = { tenant: 'default', workflow: 'last-words', run }
      if (one.op === 'put' && one.item.type === 'run-step') await endRun(api.platform, kept)
      return outcome
    }
    const step = { kind: 'message', name: 'again', topic: 'last-words', body: {} }
    await runStep(
      { ...api.platform, main: { ...main, write: put } },
      { tenant: 'default', run, id: 'again', step },
      tools,
    )
    expect(stepOf((await api.get(`/runs/${run}`)).body, 'again')).toMatchObject({ state: 'SUCCEEDED' })
  })

  it('gives up nothing that undoes', async () => {
    const definition = `
workflow: late-losers
steps:
  - name: booked
    kind: task
    capability: effect
    input: { say: booked }
    compensate: [{ name: unbooked, kind: task, capability: rare }]
  - { name: no, kind: fail, error: NO }
`
    const { id: run } = await start(await save(definition))
    const undoing = () =>
      eventually(async () => {
        const step = stepOf((await api.get(`/runs/${run}`)).body, 'unbooked')
        expect(step).toMatchObject({ state: 'RUNNING', task: expect.stringMatching(/^tsk_/) })
      })
    await undoing()
    const step = { kind: 'abandon', name: 'raced', steps: ['booked', 'unbooked'] }
    await runStep(api.platform, { tenant: 'default', run, id: 'losers', step }, tools)
    await undoing()
  })

  it('begins nothing while its run undoes what it had completed', async () => {
    const definition = `
workflow: late-commands
steps:
  - name: booked
    kind: task
    capability: effect
    input: { say: booked }
    compensate: [{ name: thought, kind: task, capability: think }, { name: cancelled, kind: task, capability: effect, input: { say: cancelled } }]
  - { name: paid, kind: task, capability: effect, input: { fail: DECLINED }, retry: { attempts: 1 } }
`
    const { id } = await start(await save(definition))
    await eventually(async () => expect((await api.get(`/runs/${id}`)).body.state).toBe('COMPENSATING'))
    const step = { kind: 'task', name: 'paid', capability: 'effect', input: { say: 'paid late' }, timeoutSeconds: 60 }
    await runStep(api.platform, { tenant: 'default', run: id, token: 'late', step }, tools)
    const thinker = await aRowWorker(api, 'thinker', ['think'], () => ({ result: null })) // nobody was there before
    const run = await ended(id)
    await thinker.stop()
    expect(run).toMatchObject({ state: 'FAILED', undone: [{ step: 'booked', undone: true }] })
    const paid = run.steps.filter(({ name }: { name: string }) => name === 'paid')
    expect(paid.map(({ state, task, undoes }: Record<string, unknown>) => [state, task === undefined, undoes])).toEqual(
      [
        ['FAILED', false, undefined],
        ['ABANDONED', true, undefined],
      ],
    )
    expect(effects).not.toContain('paid late')
  })
})
