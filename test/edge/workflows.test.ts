import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkInput } from '#functions/api/check-input.ts'
import { readSubmit } from '#functions/api/read-submit.ts'
import { endRun } from '#shared/domain/workflows/end-run.ts'
import { endOpenSteps } from '#shared/domain/workflows/steps/abandon-steps.ts'
import { runStep } from '#shared/domain/workflows/steps/run-step.ts'
import type { Table } from '#shared/platform/platform.ts'
import { anApi, type TestApi } from '#test/support/api.ts'
import { eventually } from '#test/support/eventually.ts'
import { aRowWorker, type RowTask } from '#test/support/row-worker.ts'

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
}, 30_000)
afterAll(async () => {
  await worker?.stop()
  await api?.close()
})

const save = async (text: string) => {
  const { status, body } = await api.post('/workflows', { definition: text })
  if (status >= 300) throw new Error(JSON.stringify(body))
  return body.name as string
}
const start = async (workflow: string, input?: unknown) =>
  (await api.post(`/workflows/${workflow}/runs`, { input })).body
const ended = (id: string) =>
  eventually(async () => {
    const { body } = await api.get(`/runs/${id}`)
    expect(['RUNNING', 'COMPENSATING']).not.toContain(body.state)
    return body
  })
const outcome = async (text: string, input?: unknown) => ended((await start(await save(text), input)).id)
const stepOf = (run: { steps: { name: string }[] }, name: string) => run.steps.find((step) => step.name === name)

const tools = { checkInput, readSubmit }

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
    compensate: [{ name: thought, kind: wait, for: 3 }, { name: cancelled, kind: task, capability: effect, input: { say: cancelled } }]
  - { name: paid, kind: task, capability: effect, input: { fail: DECLINED }, retry: { attempts: 1 } }
`
    const { id } = await start(await save(definition))
    await eventually(async () => expect((await api.get(`/runs/${id}`)).body.state).toBe('COMPENSATING'))
    const step = { kind: 'task', name: 'paid', capability: 'effect', input: { say: 'paid late' }, timeoutSeconds: 60 }
    await runStep(api.platform, { tenant: 'default', run: id, token: 'late', step }, tools)
    const run = await ended(id)
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
