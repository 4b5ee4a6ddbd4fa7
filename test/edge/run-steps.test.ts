import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { anApi, type TestApi } from '#test/support/api.ts'
import { eventually } from '#test/support/eventually.ts'
import { aRowWorker } from '#test/support/row-worker.ts'
import { stepOf, workflowRuns } from '#test/support/workflow-runs.ts'

let api: TestApi
let worker: Awaited<ReturnType<typeof aRowWorker>>

beforeAll(async () => {
  api = await anApi()
  worker = await aRowWorker(api, 'hand', ['double', 'echo'], (input, { capability }) => {
    const value = input as { x?: number; fail?: string; say?: string }
    if (value?.fail !== undefined) return { fails: { code: value.fail, message: 'as it was told' } }
    return { result: capability === 'double' ? { x: Number(value.x) * 2 } : { said: value?.say ?? value } }
  })
})
afterAll(async () => {
  await worker?.stop()
  await api?.close()
})

const { save, start, ended, outcome } = workflowRuns(() => api)

describe('the steps of a run: it', () => {
  it('fails a step whose task is refused, by the code of the refusal', async () => {
    const run = await outcome(`
workflow: refused
steps: [{ name: nobody, kind: task, agent: no-such-agent }]
`)
    expect(run).toMatchObject({ state: 'FAILED', error: 'NOT_FOUND' })
  })

  it.each([
    ['kind: message, topic: t, type: "{% {} %}"', 'INVALID', '#/type: expected text, received {}'],
    ['kind: message, topic: t, type: "{% $pad($x, 300) %}"', 'INVALID', '#/type: expected at most 200 characters'],
    ['kind: message, to: { agent: "{% [1] %}" }, type: t', 'INVALID', '#/to/agent: expected text, received [1]'],
    ['kind: message, topic: t, conversation: "{% {} %}"', 'INVALID', '#/conversation: expected text, received {}'],
    ['kind: request, to: { agent: a }, type: "{% {} %}"', 'INVALID', '#/type: expected text, received {}'],
    ['kind: state, key: "{% {} %}"', 'INVALID', '#/key: expected text, received {}'],
    ['kind: state, key: k, value: "{% $pad($x, 40000) %}"', 'TOO_LARGE', 'would have 40002 bytes'],
    ['kind: approval, prompt: p, people: ["{% {} %}"]', 'INVALID', '#/people/0: expected text, received {}'],
    ['kind: subWorkflow, workflow: lists, version: "{% {} %}"', 'INVALID', '#/version: expected text, received {}'],
  ])('fails a step whose expressions give what it cannot take: %s', async (step, error, cause) => {
    const definition = `workflow: odd\nsteps: [{ name: x, kind: set, value: "-" }, { name: a, ${step} }]`
    expect(await outcome(definition)).toMatchObject({ state: 'FAILED', error, cause: expect.stringContaining(cause) })
  })

  it('waits for people, and goes on with what they decided', async () => {
    const name = await save(`
workflow: asking
steps:
  - { name: ask, kind: approval, prompt: '{% "Ship " & $input & "?" %}', groups: [leads], quorum: 1, timeout: 1h }
output: '{% $ask.approved %}'
`)
    const open = async (run: string) =>
      eventually(async () => {
        const step = stepOf((await api.get(`/runs/${run}`)).body, 'ask') as { approval?: string } | undefined
        expect(step?.approval).toBeDefined()
        return String(step?.approval)
      })
    const yes = await start(name, 'it')
    const approval = await open(yes.id)
    expect((await api.get(`/approvals/${approval}`)).body).toMatchObject({
      prompt: 'Ship it?',
      approvers: ['leads'],
      step: { run: yes.id, workflow: 'asking', name: 'ask' },
    })
    const why = (await api.get(`/runs/${yes.id}/why`)).body
    expect(why.message).toContain(`step ask: waits for approval ${approval} of leads until 20`)
    await api.post(`/approvals/${approval}/approve`, {})
    expect(await ended(yes.id)).toMatchObject({ state: 'SUCCEEDED', output: true })
    const no = await start(name, 'it')
    await api.post(`/approvals/${await open(no.id)}/reject`, { comment: 'too early' })
    expect(await ended(no.id)).toMatchObject({
      state: 'FAILED',
      error: 'REJECTED',
      cause: expect.stringContaining('too early'),
    })
    const left = await start(name, 'it')
    const question = await open(left.id)
    await api.post(`/runs/${left.id}/stop`)
    await ended(left.id)
    expect((await api.get(`/approvals/${question}`)).body.state).toBe('CANCELLED')
  })

  it('starts others, waits for them, and fails with them', async () => {
    await save(`
workflow: inner
steps: [{ name: shaky, kind: task, capability: echo, input: '{% $input %}' }]
output: { inner: '{% $shaky.said %}' }
`)
    const outer = `
workflow: outer
steps:
  - { name: child, kind: subWorkflow, workflow: inner, input: '{% $input %}' }
  - { name: aside, kind: subWorkflow, workflow: inner, wait: false, input: { say: aside } }
output: '{% $child.inner %}'
`
    const good = await outcome(outer, { say: 'hello' })
    expect(good).toMatchObject({ state: 'SUCCEEDED', output: 'hello' })
    const child = stepOf(good, 'child') as { child: string } | undefined
    expect((await api.get(`/runs/${child?.child}`)).body).toMatchObject({ parent: good.id, state: 'SUCCEEDED' })
    expect(await outcome(outer, { fail: 'AGENT_ERROR' })).toMatchObject({ state: 'FAILED', error: 'AGENT_ERROR' })
  })

  it('maps over nothing, and tells time-outs by the name that tasks have', async () => {
    const empty = `
workflow: nothing
steps:
  - name: none
    kind: map
    distributed: true
    items: '{% $input %}'
    steps: [{ name: one, kind: task, capability: echo, input: { n: '{% $item %}' } }]
  - name: asked
    kind: approval
    prompt: nobody looks
    timeout: 1s
    catch: [{ errors: [TIMEOUT], steps: [{ name: late, kind: set, value: '{% $askedError.error %}' }] }]
output: { none: '{% $none %}', late: '{% $late %}' }
`
    expect(await outcome(empty, [])).toMatchObject({ state: 'SUCCEEDED', output: { none: [], late: 'TIMEOUT' } })
    const uncaught = 'workflow: late\nsteps: [{ name: asked, kind: approval, prompt: nobody looks, timeout: 1s }]'
    expect(await outcome(uncaught)).toMatchObject({ state: 'FAILED', error: 'TIMEOUT' })
  })

  it('repeats until it is good, lets branches race, counts votes, and maps over a batch', async () => {
    const run = await outcome(`
workflow: patterns
steps:
  - name: grow
    kind: repeat
    until: '{% $grown.x > 5 %}'
    atMost: 5
    steps: [{ name: grown, kind: task, capability: double, input: { x: '{% $grown = null ? 1 : $grown.x %}' } }]
  - name: first
    kind: race
    branches:
      never: [{ name: stuck, kind: task, capability: nobody.offers.this }]
      fast: [{ name: quick, kind: task, capability: echo, input: { say: quick } }]
      bad: [{ name: bad, kind: task, capability: echo, input: { fail: AGENT_ERROR } }]
  - name: verdict
    kind: vote
    voters:
      - { capability: echo, input: { say: yes } }
      - { capability: echo, input: { say: no } }
      - { capability: echo, input: { say: yes } }
    ballot: '{% $states.result.said %}'
    quorum: 2
  - name: many
    kind: map
    distributed: true
    items: '{% [1, 2, 3] %}'
    steps: [{ name: row, kind: task, capability: double, input: { x: '{% $item * 10 %}' } }]
output: { grow: '{% $grow.x %}', round: '{% $growRound %}', first: '{% $first %}', verdict: '{% $verdict.choice %}', many: '{% $many.x %}' }
`)
    expect(run).toMatchObject({
      state: 'SUCCEEDED',
      output: {
        grow: 8,
        round: 3,
        first: { branch: 'fast', output: { said: 'quick' } },
        verdict: 'yes',
        many: [20, 40, 60],
      },
    })
    expect(stepOf(run, 'stuck')).toMatchObject({ state: 'ABANDONED' })
  })

  it('publishes, and waits for the message that has what it knows', async () => {
    await save(`
workflow: telling
steps: [{ name: tell, kind: message, topic: builds, body: { build: '{% $input %}', ok: true } }]
`)
    const waiting = await save(`
workflow: hearing
steps:
  - name: built
    kind: waitForEvent
    topic: builds
    pattern: { data: { ok: [true] } }
    correlation: { build: '{% $input %}' }
output: '{% $built.data %}'
`)
    const { id } = await start(waiting, 'b-2')
    await eventually(async () =>
      expect((await api.get(`/runs/${id}/why`)).body.steps[0]?.code).toBe('WAITING_FOR_EVENT'),
    )
    await start('telling', 'b-1')
    await start('telling', 'b-2')
    expect(await ended(id)).toMatchObject({ state: 'SUCCEEDED', output: { build: 'b-2', ok: true } })
    await eventually(async () => expect((await api.get('/subscriptions')).body.items).toEqual([]))
  })
})
