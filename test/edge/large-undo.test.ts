import { afterAll, beforeAll, expect, it } from 'vitest'
import { anApi, type TestApi } from '#test/support/api.ts'
import { eventually } from '#test/support/eventually.ts'
import { aRowWorker } from '#test/support/row-worker.ts'

let api: TestApi
let worker: Awaited<ReturnType<typeof aRowWorker>>
const effects: unknown[] = []
beforeAll(async () => {
  api = await anApi()
  worker = await aRowWorker(api, 'hand', ['make', 'take'], (input, { capability }) => {
    if (capability === 'make') return { result: { ...(input as object), content: 'x'.repeat(30_000) } }
    effects.push(input)
    return { result: null }
  })
})
afterAll(async () => {
  await worker?.stop()
  await api?.close()
})

const run = async (definition: object): Promise<string> => {
  const { status, body } = await api.post('/workflows', { definition })
  if (status >= 300) throw new Error(JSON.stringify(body))
  return (await api.post(`/workflows/${body.name}/runs`, {})).body.id
}
const ended = (id: string) =>
  eventually(async () => {
    const { body } = await api.get(`/runs/${id}`)
    expect(['RUNNING', 'COMPENSATING']).not.toContain(body.state)
    return body
  })

it('undoes steps whose outputs are more than a machine can be given, and lets it look at their small fields', async () => {
  const names = Array.from({ length: 10 }, (_, at) => `made${at}`)
  const made = names.map((name) => ({
    name,
    kind: 'task',
    capability: 'make',
    input: { id: name },
    compensate: [
      {
        name: `un${name}`,
        kind: 'task',
        capability: 'take',
        input: { id: '{% $output.id %}', first: '{% $made0.id %}', plain: '{% $plain.id %}' },
      },
    ],
  }))
  const plain = { name: 'plain', kind: 'task', capability: 'make', input: { id: 'plain' } }
  const steps = [plain, ...made, { name: 'end', kind: 'fail', error: 'WRONG' }]
  const body = await ended(await run({ workflow: 'large', steps }))
  const backwards = names.toReversed()
  expect(body).toMatchObject({ state: 'FAILED', undone: backwards.map((step) => ({ step, undone: true })) })
  expect(effects).toEqual(backwards.map((id) => ({ id, first: 'made0', plain: 'plain' })))
})
