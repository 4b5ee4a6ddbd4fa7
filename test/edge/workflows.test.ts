import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { anApi, type TestApi } from '#test/support/api.ts'
import { eventually } from '#test/support/eventually.ts'
import { aRowWorker, type RowTask } from '#test/support/row-worker.ts'
import { stepOf, workflowRuns } from '#test/support/workflow-runs.ts'

let api: TestApi
let worker: Awaited<ReturnType<typeof aRowWorker>>
/** What tasks did that leave something behind, in order. */
const effects: string[] = []
let broken = true

const work = (input: never, { capability }: RowTask) => {
  const value = input as { x?: number; fail?: string; say?: string }
  if (value?.fail !== undefined && broken) return { fails: { code: value.fail, message: 'as it was told' } }
  if (capability === 'effect') effects.push(String(value.say))
  return { result: capability === 'double' ? { x: Number(value.x) * 2 } : { said: value?.say ?? value } }
}

beforeAll(async () => {
  api = await anApi()
  worker = await aRowWorker(api, 'hand', ['double', 'effect', 'echo'], work)
})
afterAll(async () => {
  await worker?.stop()
  await api?.close()
})

const { save, start, ended, outcome } = workflowRuns(() => api)

describe('a run', () => {
  it('is known again under its key when the workflow takes another input by now', async () => {
    const only = 'steps: [{ name: only, kind: set, value: 1 }]'
    await save(`workflow: changing\n${only}`)
    const headers = { 'idempotency-key': 'changing' }
    const begin = () => api.post('/workflows/changing/runs', { input: 1 }, { headers })
    const first = await begin()
    await save(`workflow: changing\ninput: { type: string }\n${only}`)
    expect(await begin()).toMatchObject({ status: first.status, body: { id: first.body.id, version: 1 } })
    expect((await api.post('/workflows/changing/runs', { input: 1 })).status).toBe(422)
  })

  it('keeps lists in lists as they are written', async () => {
    const run = await outcome(`
workflow: lists
steps:
  - { name: a, kind: set, value: ['{% [1, 2] %}', 3] }
  - { name: b, kind: parallel, branches: { one: [{ name: inner, kind: set, value: [[4]] }] } }
  - name: c
    kind: map
    distributed: true
    items: [5]
    steps: [{ name: row, kind: task, capability: echo, input: ['{% $a %}', '{% $item %}'] }]
output: [[1, 2], ['{% $a %}'], '{% $a %}', '{% $b %}', '{% $c %}']
`)
    const a = [[1, 2], 3]
    expect(run).toMatchObject({ state: 'SUCCEEDED', output: [[1, 2], [a], a, { one: [[4]] }, [{ said: [a, 5] }]] })
  })

  it('hands the outputs of its steps on, and answers what its definition says', async () => {
    const run = await outcome(
      `
workflow: sums
steps:
  - { name: first, kind: task, capability: double, input: { x: '{% $input.x %}' } }
  - name: both
    kind: parallel
    branches:
      a: [{ name: left, kind: task, capability: double, input: '{% $first %}' }]
      b: [{ name: right, kind: set, value: '{% $first.x + 1 %}' }]
  - name: doubled
    kind: map
    items: '{% [1, 2, $both.b] %}'
    steps: [{ name: one, kind: task, capability: double, input: { x: '{% $item %}' }, output: '{% $states.result.x + $index %}' }]
  - name: size
    kind: choice
    cases:
      - { when: '{% $sum($doubled) > 10 %}', steps: [{ name: big, kind: set, value: big }] }
    otherwise: [{ name: small, kind: set, value: small }]
output: { first: '{% $first.x %}', both: '{% $both %}', each: '{% $doubled %}', size: '{% $size %}', big: '{% $big %}', run: '{% $run.id %}' }
`,
      { x: 3 },
    )
    expect(run).toMatchObject({
      state: 'SUCCEEDED',
      workflow: 'sums',
      version: 1,
      output: { first: 6, both: { a: { x: 12 }, b: 7 }, each: [2, 5, 16], size: 'big', big: 'big', run: run.id },
    })
    expect(run.steps.map(({ name, state }: { name: string; state: string }) => `${name} ${state}`).sort()).toEqual(
      ['first SUCCEEDED', 'left SUCCEEDED', 'one SUCCEEDED', 'one SUCCEEDED', 'one SUCCEEDED'].sort(),
    )
    const tasks = (await api.get(`/tasks?workflowRun=${run.id}`)).body.items
    expect(tasks).toHaveLength(5)
    expect(tasks[0].workflowRun).toBe(run.id)
    const { items } = (await api.get(`/runs/${run.id}/history`)).body
    expect(items.at(0)).toMatchObject({ id: 1, type: 'ExecutionStarted' })
  })

  it('catches what failed, and tells why it ended when nothing does', async () => {
    const caught = await outcome(`
workflow: catching
steps:
  - name: risky
    kind: task
    capability: echo
    input: { fail: AGENT_ERROR }
    catch: [{ errors: [AGENT_ERROR], steps: [{ name: instead, kind: set, value: { why: '{% $riskyError.cause %}' } }] }]
output: { risky: '{% $risky %}' }
`)
    expect(caught).toMatchObject({ state: 'SUCCEEDED', output: { risky: { why: 'as it was told' } } })
    const failed = await outcome(`
workflow: failing
steps: [{ name: risky, kind: task, capability: echo, input: { fail: AGENT_ERROR } }, { name: never, kind: task, capability: echo }]
`)
    expect(failed).toMatchObject({ state: 'FAILED', error: 'AGENT_ERROR', cause: 'as it was told' })
    expect(stepOf(failed, 'never')).toEqual({ name: 'never', kind: 'task', state: 'SKIPPED' })
    expect((await api.get(`/runs/${failed.id}/why`)).body.message).toContain('FAILED with AGENT_ERROR: as it was told')
  })

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

  it('undoes what had completed when it fails, the last first, and tells what stays', async () => {
    effects.length = 0
    const effect = (name: string, undo: string) =>
      `{ name: ${name}, kind: task, capability: effect, input: { say: ${name} }, compensate: [{ name: un${name}, kind: task, ${undo} }] }`
    const run = await outcome(
      `
workflow: saga
steps:
  - ${effect('one', `capability: effect, input: { say: '{% "undo " & $output.said & " of " & $input & ": " & $error.error %}' }`)}
  - ${effect('two', 'capability: echo, input: { fail: STUCK }')}
  - ${effect('three', `capability: effect, input: { say: '{% "undo " & $one.said & " after " & $output.said %}' }`)}
  - { name: end, kind: fail, error: WRONG }
`,
      'x',
    )
    expect(run).toMatchObject({ state: 'FAILED', error: 'WRONG' })
    expect(effects).toEqual(['one', 'two', 'three', 'undo one after three', 'undo one of x: WRONG'])
    expect(run.undone).toEqual([
      { step: 'three', undone: true },
      { step: 'two', undone: false, error: 'STUCK', cause: 'as it was told' },
      { step: 'one', undone: true },
    ])
    expect(stepOf(run, 'unone')).toMatchObject({ state: 'SUCCEEDED', undoes: true })
    expect((await api.post(`/runs/${run.id}/redrive`)).body.code).toBe('CONFLICT')
  })

  it('cancels its tasks when it is stopped, and undoes what had completed', async () => {
    effects.length = 0
    const name = await save(`
workflow: stopping
steps:
  - name: made
    kind: task
    capability: effect
    input: { say: made }
    compensate: [{ name: unmade, kind: task, capability: effect, input: { say: unmade } }]
  - { name: stuck, kind: task, capability: nobody.offers.this }
`)
    const { id } = await start(name)
    const stuck = await eventually(async () => {
      const found = stepOf((await api.get(`/runs/${id}`)).body, 'stuck') as { task?: string; state: string } | undefined
      expect(found).toMatchObject({ state: 'RUNNING', task: expect.any(String) })
      return found
    })
    expect((await api.get(`/runs/${id}/why`)).body).toMatchObject({
      code: 'STEPS_RUN',
      steps: [{ code: 'NO_CAPABLE_AGENT' }],
    })
    expect((await api.post(`/runs/${id}/stop`, { reason: 'not needed' })).status).toBe(200)
    const run = await ended(id)
    expect(run).toMatchObject({
      state: 'STOPPED',
      stop: { reason: 'not needed' },
      undone: [{ step: 'made', undone: true }],
    })
    expect(stepOf(run, 'stuck')).toMatchObject({ state: 'ABANDONED' })
    expect((await api.get(`/tasks/${stuck?.task}`)).body.status).toBe('CANCELLED')
    expect(effects).toEqual(['made', 'unmade'])
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

  it('goes on from the step that failed when it is redriven, and starts anew when it is run again', async () => {
    const name = await save(`
workflow: twice
steps:
  - { name: done, kind: task, capability: effect, input: { say: once } }
  - { name: shaky, kind: task, capability: echo, input: { fail: AGENT_ERROR, say: '{% $input.word %}' } }
output: '{% $shaky.said %}'
`)
    effects.length = 0
    const { id } = await start(name, { word: 'a' })
    expect(await ended(id)).toMatchObject({ state: 'FAILED' })
    broken = false
    expect((await api.post(`/runs/${id}/redrive`)).body).toMatchObject({ state: 'RUNNING', redrives: 1 })
    expect(await ended(id)).toMatchObject({ state: 'SUCCEEDED', output: 'a' })
    expect(effects).toEqual(['once'])
    const again = (await api.post(`/runs/${id}/rerun`, { input: { word: 'b' } })).body
    expect(await ended(again.id)).toMatchObject({ state: 'SUCCEEDED', output: 'b', rerunOf: id })
    expect((await api.post(`/runs/${id}/stop`)).body.code).toBe('ALREADY_FINISHED')
    broken = true
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
