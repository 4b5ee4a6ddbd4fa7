import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { anApi, type TestApi } from '#test/support/api.ts'
import { eventually } from '#test/support/eventually.ts'
import { aRowWorker } from '#test/support/row-worker.ts'
import { stepOf, workflowRuns } from '#test/support/workflow-runs.ts'

let api: TestApi
let worker: Awaited<ReturnType<typeof aRowWorker>>
const inputs: unknown[] = []
beforeAll(async () => {
  api = await anApi()
  worker = await aRowWorker(api, 'hand', ['make', 'take'], (input, { capability }) => {
    if (capability === 'take') inputs.push(input)
    return { result: capability === 'make' ? large : null }
  })
})
afterAll(async () => {
  await worker?.stop()
  await api?.close()
})

const { save, start, ended, outcome } = workflowRuns(() => api)

const most = 245_760
/** A value of so many bytes, whose letters are of two. */
const ofBytes = (bytes: number, more: object = {}) => {
  const left = bytes - Buffer.byteLength(JSON.stringify({ ...more, text: '' }))
  return { ...more, text: (left % 2 === 1 ? 'x' : '') + 'é'.repeat(Math.floor(left / 2)) }
}
const findings = [{ at: 'a.ts' }, { at: 'b.ts' }]
const large = ofBytes(40_000, { findings })
const gate = (name: string) => `
workflow: ${name}
steps:
  - name: gate
    kind: choice
    cases: [{ when: '{% $count($input.findings) > 0 %}', steps: [{ name: stop, kind: fail, error: FOUND }] }]
    otherwise: [{ name: pass, kind: set, value: passed }]
`
const told = (name: string) =>
  `{% { "count": $count($${name}.findings), "ref": $exists($${name}."$ref"), "text": $exists($${name}.text) } %}`
const outlined = { count: 2, ref: true, text: false }
const whole = { count: 2, ref: false, text: true }
const refused = (bytes: number) => `the input has ${bytes} bytes and may have ${most}`
const runsOf = async (workflow: string) => (await api.get(`/runs?workflow=${workflow}`)).body.items
const sendTo = async (topic: string, data: unknown) => {
  const { status, body } = await api.post('/messages', { to: { topic }, type: 'thing.happened', data })
  if (status >= 300) throw new Error(JSON.stringify(body))
}

const stored = async (value: unknown): Promise<string> => {
  const { id } = (await api.post('/objects', { contentType: 'application/json' })).body
  await api.platform.objects.put({ tenant: 'default', id }, Buffer.from(JSON.stringify(value)))
  return id
}

describe('the input of a run', () => {
  it('is the value itself for expressions, also when it is large, and when the run starts again', async () => {
    const run = await outcome(gate('gate'), large)
    expect(run).toMatchObject({ state: 'FAILED', error: 'FOUND' })
    const again = (await api.post(`/runs/${run.id}/rerun`, {})).body
    expect(await ended(again.id)).toMatchObject({ state: 'FAILED', error: 'FOUND', rerunOf: run.id })
  })

  it('may have 240 KiB, also where the run goes on in further executions', async () => {
    await save(`
workflow: most
steps: [{ name: rounds, kind: repeat, atMost: 2, until: '{% true %}', steps: [{ name: one, kind: set, value: 1 }] }]
output: '{% $count($input.findings) %}'
`)
    const { id } = await start('most', ofBytes(most, { findings }))
    expect(await ended(id)).toMatchObject({ state: 'SUCCEEDED', output: 2 })
    const input = ofBytes(most + 1, { findings })
    expect(await api.post('/workflows/most/runs', { input })).toMatchObject({
      status: 422,
      body: {
        errors: [{ pointer: '#/input', code: 'TOO_LARGE', message: expect.stringContaining(refused(most + 1)) }],
      },
    })
    const aYear = { everySeconds: 31_536_000 }
    expect(await api.post('/schedules', { rate: aYear, run: { workflow: 'most', input } })).toMatchObject({
      status: 422,
      body: { errors: [{ pointer: '#/run/input' }] },
    })
    expect(await runsOf('most')).toHaveLength(1)
  })

  it('stays a reference where it is given as one', async () => {
    const id = await stored(large)
    const text = `workflow: given
output: '{% $a %}'
steps: [{ name: a, kind: set, value: '{% $input."$ref" %}' }]`
    expect(await outcome(text, { $ref: id })).toMatchObject({ state: 'SUCCEEDED', output: id })
  })

  it('is the data of a message, which is a dead letter where the whole of it is too large', async () => {
    await save(gate('from-a-message'))
    const subscribe = async (target: object): Promise<string> =>
      (await api.post('/subscriptions', { topic: 'large.starts', target: { workflow: 'from-a-message', ...target } }))
        .body.id
    const [, id] = [await subscribe({}), await subscribe({ input: 'event' })]
    await sendTo('large.starts', ofBytes(most, { findings }))
    await eventually(async () => expect(await runsOf('from-a-message')).toMatchObject([{ error: 'FOUND' }]))
    const [dead] = await eventually(async () => {
      const { items } = (await api.get(`/subscriptions/${id}/matches?state=DEAD`)).body
      expect(items).toHaveLength(1)
      return items
    })
    expect(dead.reason).toMatchObject({ code: 'INVALID', message: expect.stringContaining(`may have ${most}`) })
    expect(await runsOf('from-a-message')).toHaveLength(1)
  })

  it('is that of a sub-workflow, whose step fails when it is too large', async () => {
    await save(gate('inner-gate'))
    const child = `{ name: child, kind: subWorkflow, workflow: inner-gate, input: '{% $input %}' }`
    expect(await outcome(`workflow: outer-gate\nsteps: [${child}]`, large)).toMatchObject({ error: 'FOUND' })
    const twice = child.replace('$input', '{ "a": $input, "b": $input.text }')
    const run = await outcome(`workflow: too-large\nsteps: [${twice}]`, ofBytes(124_000))
    expect(run).toMatchObject({ state: 'FAILED', error: 'INVALID', cause: expect.stringContaining(`may have ${most}`) })
  })

  it('is the value for what undoes the run, or its small fields where that has no room for it', async () => {
    await save(`
workflow: undone
steps:
  - name: made
    kind: task
    capability: make
    compensate:
      - { name: back, kind: task, capability: take, input: '${told('input')}' }
  - { name: wrong, kind: fail, error: WRONG, cause: '{% $substring($input.text, 0, $input.long) %}' }
`)
    const undo = async (long: number) => ended((await start('undone', ofBytes(most, { findings, long }))).id)
    const undone = { state: 'FAILED', error: 'WRONG', undone: [{ step: 'made', undone: true }] }
    expect(await undo(10)).toMatchObject(undone)
    expect(await undo(10_000)).toMatchObject(undone)
    expect(inputs).toEqual([whole, outlined])
  })
})

describe('what a step answers that is large', () => {
  it('is of a sub-workflow a reference with its small fields', async () => {
    await save(`workflow: maker\nsteps: [{ name: made, kind: set, value: '{% $input %}' }]\noutput: '{% $made %}'`)
    const text = `
workflow: outlines
steps: [{ name: child, kind: subWorkflow, workflow: maker, input: '{% $input %}' }]
output: ${told('child')}
`
    const quoted = text.replace(/output: (.*)/, "output: '$1'")
    expect(await outcome(quoted, large)).toMatchObject({ state: 'SUCCEEDED', output: outlined })
    const { id } = await start('outlines', ofBytes(30_000, { findings }))
    expect(await ended(id)).toMatchObject({ state: 'SUCCEEDED', output: whole })
  })

  it('is of a message its attributes, with data that is a reference with its small fields', async () => {
    const id = (
      await start(
        await save(`
workflow: waits
steps:
  - { name: came, kind: waitForEvent, topic: large.comes }
  - { name: taken, kind: task, capability: take, input: '{% $came.data %}' }
output: { type: '{% $came.type %}', topic: '{% $came.topic %}', data: '${told('came.data')}' }
`),
      )
    ).id
    await eventually(async () =>
      expect((await api.get(`/runs/${id}/why`)).body.steps).toMatchObject([{ code: 'WAITING_FOR_EVENT' }]),
    )
    await sendTo('large.comes', large)
    const output = { type: 'thing.happened', topic: 'large.comes', data: outlined }
    expect(await ended(id)).toMatchObject({ state: 'SUCCEEDED', output })
    const { $ref } = inputs.at(-1) as { $ref: string }
    const { body } = (await api.platform.objects.get({ tenant: 'default', id: $ref })) ?? {}
    expect(await new Response(body).json()).toEqual(large)
  })

  it('is of a response the same, and the failure of whoever was asked is told', async () => {
    await api.post('/agents', { name: 'clerk' })
    const { token } = (await api.post('/instances', { agent: 'clerk', slots: 5 })).body
    const asked = async (reply: object) => {
      const { id } = await start('asks')
      const request = await eventually(async () => {
        const found = stepOf((await api.get(`/runs/${id}`)).body, 'asked') as { message?: string } | undefined
        expect(found?.message).toBeDefined()
        return found?.message
      })
      const { status } = await api.post(`/messages/${request}/reply`, reply, { key: token })
      expect(status).toBeLessThan(300)
      return ended(id)
    }
    await save(`
workflow: asks
steps: [{ name: asked, kind: request, to: { agent: clerk }, type: price.wanted }]
output: { kind: '{% $asked.kind %}', source: '{% $asked.source %}', data: '${told('asked.data')}' }
`)
    const output = { kind: 'response', source: expect.any(String), data: outlined }
    expect(await asked({ data: large })).toMatchObject({ state: 'SUCCEEDED', output })
    const failure = { type: 'price.failed', data: { code: 'NO_PRICE', message: 'none', ...large } }
    expect(await asked(failure)).toMatchObject({ state: 'FAILED', error: 'NO_PRICE', cause: 'none' })
  })
})
