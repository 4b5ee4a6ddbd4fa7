import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { anApi, type TestApi } from '#test/support/api.ts'
import { eventually } from '#test/support/eventually.ts'
import { aRowWorker } from '#test/support/row-worker.ts'

let api: TestApi
let worker: Awaited<ReturnType<typeof aRowWorker>>
beforeAll(async () => {
  api = await anApi()
  worker = await aRowWorker(api, 'hand', ['rows.check'], (input) => {
    const { n } = input as { n: number }
    return n % 10 === 7 ? { fails: { code: 'AGENT_ERROR', message: 'a seven' } } : { result: n }
  })
})
afterAll(async () => {
  await worker?.stop()
  await api?.close()
})

const upload = async (rows: unknown[]): Promise<{ $ref: string }> => {
  const { id } = (await api.post('/objects', { contentType: 'application/jsonl' })).body
  const text = rows.map((row) => JSON.stringify(row)).join('\n')
  await api.platform.objects.put({ tenant: 'default', id }, Buffer.from(text))
  return { $ref: id }
}
let names = 0
const start = async (input: unknown, more = '', capability = 'rows.check'): Promise<string> => {
  const definition = `
workflow: rows-${names++}
steps:
  - name: checked
    kind: map
    distributed: true
    itemsFrom: '{% $input.rows %}'
    ${more}
    steps: [{ name: check, kind: task, capability: ${capability} }]
output: '{% $checked %}'
`
  const { status, body } = await api.post('/workflows', { definition })
  if (status >= 300) throw new Error(JSON.stringify(body))
  return (await api.post(`/workflows/${body.name}/runs`, { input })).body.id
}
const ended = (id: string) =>
  eventually(async () => {
    const { body } = await api.get(`/runs/${id}`)
    expect(['RUNNING', 'COMPENSATING']).not.toContain(body.state)
    return body
  })

describe('a map over the lines of an object', () => {
  it('does a task for each line, in one step of the run, and answers what became of them', async () => {
    const rows = await upload(Array.from({ length: 600 }, (_, n) => ({ n: n * 10 })))
    const id = await start({ rows }, 'concurrency: 200')
    const run = await ended(id)
    expect(run).toMatchObject({
      state: 'SUCCEEDED',
      output: { batch: expect.stringMatching(/^bat_/), total: 600, succeeded: 600, failed: 0 },
    })
    expect(run.steps).toMatchObject([{ name: 'checked', kind: 'rows', state: 'SUCCEEDED', batch: run.output.batch }])
    expect((await api.get(`/batches/${run.output.batch}`)).body).toMatchObject({ state: 'SUCCEEDED', maxInFlight: 200 })
    const events = (await api.get(`/runs/${id}/history?limit=200`)).body
    expect(events.items.length).toBeLessThan(20)
    expect(worker.ran.at(-1)).toMatchObject({ workflowRun: id })
  })

  it('fails with a report when more items fail than are tolerated, and goes on when not', async () => {
    const rows = await upload(Array.from({ length: 50 }, (_, n) => ({ n })))
    const tolerant = await ended(await start({ rows }, 'toleratedFailurePercentage: 10'))
    expect(tolerant).toMatchObject({ state: 'SUCCEEDED', output: { total: 50, succeeded: 45, failed: 5 } })
    expect(tolerant.output.report.$ref).toMatch(/^obj_/)
    const strict = await ended(await start({ rows }, 'toleratedFailurePercentage: 9'))
    expect(strict).toMatchObject({ state: 'FAILED', error: 'ITEMS_FAILED' })
    expect(strict.cause).toContain('5 of 50 items of batch bat_')
    expect(strict.cause).toContain('its report is object obj_')
    expect(await ended(await start({ rows }))).toMatchObject({ state: 'FAILED', error: 'ITEMS_FAILED' })
  })

  it('is over at once for an object of no lines, and for a list of no items', async () => {
    const empty = await ended(await start({ rows: await upload([]) }))
    expect(empty).toMatchObject({ state: 'SUCCEEDED', output: { total: 0, succeeded: 0, failed: 0 } })
    const definition =
      "workflow: none\nsteps: [{ name: m, kind: map, distributed: true, items: '{% [] %}', steps: [{ name: s, kind: task, capability: x }] }]"
    await api.post('/workflows', { definition })
    const none = await ended((await api.post('/workflows/none/runs', {})).body.id)
    expect(none).toMatchObject({ state: 'SUCCEEDED', output: [] })
  })

  it('tells how far it is, and cancels what is open when the run is stopped', async () => {
    const rows = await upload(Array.from({ length: 30 }, (_, n) => ({ n })))
    const id = await start({ rows }, '', 'nobody.offers.this')
    const [step] = await eventually(async () => {
      const { steps } = (await api.get(`/runs/${id}/why`)).body
      expect(steps[0]).toMatchObject({ code: 'ITEMS_RUN', message: expect.stringContaining('0 of 30 items of batch') })
      return (await api.get(`/runs/${id}`)).body.steps
    })
    await api.post(`/runs/${id}/stop`)
    expect(await ended(id)).toMatchObject({ state: 'STOPPED' })
    await eventually(async () =>
      expect((await api.get(`/batches/${step.batch}`)).body).toMatchObject({
        state: 'CANCELLED',
        counts: { cancelled: 30 },
      }),
    )
  })

  it('says what is wrong with what it is given', async () => {
    const nothing = await ended(await start({ rows: [1, 2] }))
    expect(nothing).toMatchObject({ state: 'FAILED', error: 'INVALID' })
    expect(nothing.cause).toContain('expected {$ref: obj_…}')
    const gone = await ended(await start({ rows: { $ref: 'obj_00000000000000000000000000' } }))
    expect(gone).toMatchObject({ state: 'FAILED', error: 'INVALID' })
  })
})
