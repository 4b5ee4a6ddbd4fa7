import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { anApi, type TestApi } from '#test/support/api.ts'
import { eventually } from '#test/support/eventually.ts'

let api: TestApi
beforeAll(async () => {
  api = await anApi()
})
afterAll(() => api?.close())

const startOf = async (definition: string, input?: unknown): Promise<string> => {
  const { body } = await api.post('/workflows', { definition })
  return (await api.post(`/workflows/${body.name}/runs`, { input })).body.id
}
const ended = (id: string) =>
  eventually(async () => {
    const { body } = await api.get(`/runs/${id}`)
    expect(['RUNNING', 'COMPENSATING']).not.toContain(body.state)
    return body
  })
const stuck = 'workflow: board\nsteps: [{ name: stuck, kind: task, capability: nobody.offers.this }]'

type Put = { value: unknown; task?: string; fence?: string }
const putIn =
  (id: string) =>
  (key: string, body: Put, headers: Record<string, string> = {}, token?: string) =>
    api.request('PUT', `/runs/${id}/state/${key}`, { body, headers, ...(token !== undefined && { key: token }) })

describe('what the agents of a run share', () => {
  it('is changed by one after the other, and stays as it is when the run is over', async () => {
    const id = await startOf(stuck)
    const put = putIn(id)
    expect((await api.get(`/runs/${id}/state/files`)).status).toBe(404)
    const first = await put('files', { value: ['a'] }, { 'if-match': '""' })
    expect(first.body).toEqual({ key: 'files', value: ['a'], rev: expect.any(String) })
    const etag = String(first.headers.get('etag'))
    expect(etag).toBe(`"${first.body.rev}"`)
    expect((await put('files', { value: ['b'] }, { 'if-match': '""' })).status).toBe(412)
    expect((await put('files', { value: ['a', 'b'] }, { 'if-match': etag })).status).toBe(200)
    expect((await put('files', { value: ['a', 'c'] }, { 'if-match': etag })).body.code).toBe('PRECONDITION_FAILED')
    expect((await api.get(`/runs/${id}/state/files`)).body.value).toEqual(['a', 'b'])
    await api.post(`/runs/${id}/stop`)
    await ended(id)
    expect((await put('files', { value: ['z'] })).body.code).toBe('ALREADY_FINISHED')
  })

  it('loses no change of many who come at once', async () => {
    const id = await startOf(stuck)
    const put = putIn(id)
    const addOne = async (): Promise<void> => {
      for (;;) {
        const { status, body } = await api.get(`/runs/${id}/state/count`)
        const [before, match] = status === 404 ? [0, ''] : [body.value, body.rev]
        if ((await put('count', { value: before + 1 }, { 'if-match': `"${match}"` })).status === 200) return
      }
    }
    await Promise.all(Array.from({ length: 20 }, addOne))
    expect((await api.get(`/runs/${id}/state/count`)).body.value).toBe(20)
  })

  it('knows a call that is repeated after its answer was lost, also when others have written since', async () => {
    const id = await startOf(stuck)
    const put = putIn(id)
    const headers = { 'if-match': '""', 'idempotency-key': 'mine' }
    expect((await put('x', { value: 1 }, headers)).status).toBe(200)
    expect((await put('x', { value: 2 })).status).toBe(200)
    const again = await put('x', { value: 1 }, headers)
    expect(again).toMatchObject({ status: 200, body: { value: 2 } })
    expect((await put('x', { value: 1 }, { ...headers, 'idempotency-key': 'other' })).status).toBe(412)
  })

  it('is bounded: 256 values, of 32 KiB each', async () => {
    const id = await startOf(stuck)
    const put = putIn(id)
    for (let at = 0; at < 256; at++) expect((await put(`k${at}`, { value: at })).status).toBe(200)
    expect((await put('one-more', { value: 0 })).body).toMatchObject({
      code: 'TOO_LARGE',
      detail: expect.stringContaining('256'),
    })
    expect((await put('k7', { value: 'changed' })).status).toBe(200)
    expect((await put('k8', { value: 'x'.repeat(33 * 1024) })).status).toBe(422)
    const first = (await api.get(`/runs/${id}/state?limit=200`)).body
    const rest = (await api.get(`/runs/${id}/state?limit=200&cursor=${first.nextCursor}`)).body
    expect([...first.items, ...rest.items]).toHaveLength(256)
    expect(rest.items.find(({ key }: { key: string }) => key === 'k7')?.value).toBe('changed')
  })

  it('is changed by an instance under the fence of a task that it does for the run, or for what that calls', async () => {
    await api.post('/agents', { name: 'writer', capabilities: [{ name: 'board.write' }] })
    const { instanceId, token } = (await api.post('/instances', { agent: 'writer', slots: 5 })).body
    const lease = async () =>
      (await api.post(`/instances/${instanceId}/lease?wait=5`, { max: 1 }, { key: token })).body.tasks[0]
    const id = await startOf('workflow: writing\nsteps: [{ name: write, kind: task, capability: board.write }]')
    const task = await lease()
    expect(task.workflowRun).toBe(id)
    const put = putIn(id)
    const held = { task: task.taskId, fence: task.fence }
    expect((await put('x', { value: 1, ...held }, {}, token)).status).toBe(200)
    expect((await put('x', { value: 1 }, {}, token)).body.code).toBe('FORBIDDEN')
    const read = (path: string, key = token) => api.get(`/runs/${path}`, { key })
    const named = `?task=${task.taskId}&fence=${task.fence}`
    const agentKey = await api.keyOf('default', 'agent')
    for (const path of [`${id}/state`, `${id}/state/x`]) {
      expect((await read(`${path}${named}`)).status).toBe(200)
      expect((await read(path)).body.code).toBe('FORBIDDEN')
      expect((await read(path, agentKey)).body.code).toBe('FORBIDDEN')
      expect((await read(`${path}${named}9`)).body.code).toBe('STALE_FENCE')
      expect((await read(`${path.replace(id, await startOf(stuck))}${named}`)).body.code).toBe('FORBIDDEN')
    }
    expect((await put('x', { value: 1, ...held, fence: '0.9' }, {}, token)).body.code).toBe('STALE_FENCE')
    const other = await startOf(stuck)
    expect((await putIn(other)('x', { value: 1, ...held }, {}, token)).body.code).toBe('FORBIDDEN')

    const child = (await api.post('/tasks', { capability: 'board.write', parent: task.taskId }, { key: token })).body
    const inner = await lease()
    expect(inner).toMatchObject({ taskId: child.id, workflowRun: id })
    expect((await put('y', { value: 2, task: inner.taskId, fence: inner.fence }, {}, token)).status).toBe(200)
    await api.post(`/tasks/${child.id}/complete`, { fence: inner.fence, result: null }, { key: token })
    expect((await put('y', { value: 3, task: inner.taskId, fence: inner.fence }, {}, token)).body.code).toBe(
      'STALE_FENCE',
    )
    expect((await api.get(`/runs/${id}/state/y`)).body.value).toBe(2)
    await api.post(`/tasks/${task.taskId}/complete`, { fence: task.fence, result: null }, { key: token })
  })

  it('is read and set by steps, and read in expressions through them', async () => {
    const run = await ended(
      await startOf(
        `
workflow: steps-of-state
steps:
  - { name: before, kind: state, key: plan }
  - { name: kept, kind: state, key: plan, value: { files: '{% $input %}' } }
  - { name: board, kind: state, key: '{% "pl" & "an" %}', output: '{% $count($states.result.files) %}' }
  - { name: emptied, kind: state, key: plan, value: null }
output: { before: '{% $before %}', kept: '{% $kept %}', board: '{% $board %}', emptied: '{% $emptied %}' }
`,
        ['a', 'b'],
      ),
    )
    expect(run.output).toEqual({ before: null, kept: { files: ['a', 'b'] }, board: 2, emptied: null })
    expect((await api.get(`/runs/${run.id}/state/plan`)).body.value).toBeNull()
  })
})
