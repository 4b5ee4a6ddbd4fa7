import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { TestApi } from '#test/support/api.ts'
import { anApi } from '#test/support/api.ts'

let api: TestApi
beforeAll(async () => {
  api = await anApi()
})
afterAll(() => api?.close())

const define = (name: string, value: unknown = 1) => ({
  workflow: name,
  steps: [{ name: 'only', kind: 'set', value }],
})

describe('a workflow', () => {
  it('has a version for each definition, and the same for the same', async () => {
    const first = await api.post('/workflows', { definition: define('w') })
    expect([first.status, first.body]).toEqual([201, expect.objectContaining({ name: 'w', latest: 1, aliases: {} })])
    expect((await api.post('/workflows', { definition: define('w') })).status).toBe(200)
    expect((await api.post('/workflows', { definition: define('w', 2) })).body.latest).toBe(2)
    const { items } = (await api.get('/workflows/w/versions')).body
    expect(items.map(({ version }: { version: number }) => version)).toEqual([2, 1])
    expect((await api.get('/workflows/w/versions/1')).body.definition).toEqual(define('w'))
    expect((await api.get('/workflows/w/versions/9')).body.detail).toBe('workflow w has no version 9')
    for (const version of ['abc', '0', '1.5', '-1', '1e3'])
      expect((await api.get(`/workflows/w/versions/${version}`)).body.errors).toMatchObject([
        { pointer: '#/path/version', message: `${version} is no version; versions are numbered from 1` },
      ])
    expect((await api.get('/workflows')).body.items).toHaveLength(1)
  })

  it('leads runs to versions by the weights of an alias, and refuses one that there is not', async () => {
    await api.post('/workflows', { definition: define('a', 'old') })
    await api.post('/workflows', { definition: define('a', 'new') })
    const versionOf = async (version?: unknown) => (await api.post('/workflows/a/runs', { version })).body.version
    expect(await versionOf()).toBe(2)
    const patch = (aliases: object) => api.request('PATCH', '/workflows/a', { body: { aliases } })
    expect((await patch({ live: { 1: 1 }, canary: { 2: 5 } })).body.aliases).toEqual({
      live: { 1: 1 },
      canary: { 2: 5 },
    })
    expect([await versionOf(), await versionOf('canary'), await versionOf(2)]).toEqual([1, 2, 2])
    expect((await patch({ live: { 7: 1 } })).body.errors[0]).toMatchObject({ pointer: '#/aliases/live/7' })
    expect((await patch({ live: null })).body.aliases).toEqual({ canary: { 2: 5 } })
    for (const version of ['beta', 'constructor', '01', '1e0', '0x1', '3']) {
      const { status, body } = await api.post('/workflows/a/runs', { version })
      expect([status, body.detail]).toEqual([
        404,
        `workflow a has no version or alias ${version}; it has versions 1 to 2, canary`,
      ])
    }
  })

  it('is refused with the place of everything that is wrong with it', async () => {
    const definition = 'workflow: bad\nsteps:\n  - { name: a, kind: set, value: "{% $b %}" }\n'
    const { status, body } = await api.post('/workflows', { definition })
    expect([status, body.errors]).toEqual([
      422,
      [
        {
          pointer: '#/definition/steps/0/value',
          code: 'DEAD_REFERENCE',
          message: 'line 3, column 38: nothing is named b',
        },
      ],
    ])
    expect((await api.post('/workflows/validate', { definition })).body).toMatchObject({
      valid: false,
      problems: [{ severity: 'error', line: 3, column: 38 }],
    })
    expect((await api.post('/workflows', { definition: define('x.undo') })).body.code).toBe('INVALID')
  })

  it('warns of what agents do not offer, take or answer; strictly, refuses it', async () => {
    const object = (properties: object, required: string[] = []) => ({ type: 'object', properties, required })
    await api.post('/agents', {
      name: 'mill',
      capabilities: [
        {
          name: 'mill.grind',
          inputSchema: { ...object({ corn: { type: 'string' } }, ['corn']), additionalProperties: false },
          outputSchema: object({ flour: object({ grams: { type: 'number' } }) }),
        },
      ],
    })
    const definition = `
workflow: bread
steps:
  - { name: ground, kind: task, capability: mill.grind, input: { korn: rye } }
  - { name: baked, kind: task, capability: oven.bake, input: '{% $ground.flour.gramms %}' }
`
    const { body } = await api.post('/workflows/validate', { definition })
    expect(body.valid).toBe(true)
    expect(body.problems.map(({ message }: { message: string }) => message)).toEqual([
      'mill.grind needs corn in its input',
      'mill.grind takes no korn; did you mean corn?',
      'nobody offers oven.bake: its task will wait',
      'the result.flour of mill.grind has no gramms; it has grams; did you mean grams?',
    ])
    expect((await api.post('/workflows', { definition, strict: true })).status).toBe(422)
    expect((await api.post('/workflows', { definition })).body.problems).toHaveLength(4)
  })

  it('warns of workflows that it starts and that do not exist; strictly, refuses it', async () => {
    const steps = [{ name: 'a', kind: 'subWorkflow', workflow: 'calld' }]
    const definition = { workflow: 'calling', steps }
    await api.post('/workflows', { definition: define('called') })
    const problem = {
      code: 'UNKNOWN_WORKFLOW',
      pointer: '#/steps/0/workflow',
      message: expect.stringContaining('called?'),
    }
    const validated = (strict: boolean) => api.post('/workflows/validate', { definition, strict })
    expect((await validated(false)).body).toMatchObject({ valid: true, problems: [problem] })
    expect((await validated(true)).body).toMatchObject({ valid: false, problems: [problem] })
    expect((await api.post('/workflows', { definition, strict: true })).status).toBe(422)
    expect(await api.post('/workflows', { definition })).toMatchObject({ status: 201, body: { problems: [problem] } })
    await api.post('/workflows', { definition: define('calld') })
    expect((await validated(true)).body).toEqual({ valid: true, problems: [] })
  })

  it('is refused with the place of what in its input is no JSON Schema', async () => {
    const definition = 'workflow: schema\ninput: { type: strin }\nsteps: [{ name: a, kind: set, value: 1 }]'
    const message = expect.stringContaining('line 2, column 10: no JSON Schema: must be')
    const errors = [{ pointer: '#/definition/input/type', code: 'SCHEMA', message }]
    expect(await api.post('/workflows', { definition })).toMatchObject({ status: 422, body: { errors } })
    expect((await api.post('/workflows/validate', { definition })).body).toMatchObject({ valid: false })
  })

  it('starts once under a key, refuses an input that does not fit, and is another tenant’s no more', async () => {
    const definition = { ...define('keyed'), input: { type: 'object', required: ['x'] } }
    await api.post('/workflows', { definition })
    const start = (input: unknown) =>
      api.post('/workflows/keyed/runs', { input }, { headers: { 'idempotency-key': 'k-1' } })
    const [one, two] = [await start({ x: 1 }), await start({ x: 1 })]
    expect([one.status, two.body.id]).toEqual([202, one.body.id])
    expect((await start({ x: 2 })).body.code).toBe('IDEMPOTENCY_CONFLICT')
    expect((await api.post('/workflows/keyed/runs', { input: {} })).body.errors[0].pointer).toBe('#/input/x')
    const key = await api.keyOf('other')
    for (const path of ['/workflows/keyed', `/runs/${one.body.id}`, `/runs/${one.body.id}/history`])
      expect((await api.get(path, { key })).status).toBe(404)
    expect((await api.post('/workflows/nothing/runs')).status).toBe(404)
    expect((await api.get('/runs?workflow=keyed')).body.items).toHaveLength(1)
  })
})
