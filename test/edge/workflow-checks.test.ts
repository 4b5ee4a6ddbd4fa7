import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { anApi, type TestApi } from '#test/support/api.ts'

let api: TestApi
const text = { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] }
const judging = { name: 'text.judge', inputSchema: text, outputSchema: { ...text, additionalProperties: false } }
beforeAll(async () => {
  api = await anApi()
  const grading = { name: 'text.grade', inputSchema: text }
  await api.post('/agents', { name: 'desk', capabilities: [judging, grading] })
  await api.post('/agents', { name: 'other', capabilities: [{ ...grading, inputSchema: { type: 'number' } }] })
  await api.post('/queues', { name: 'letters' })
})
afterAll(() => api?.close())

const define = (workflow: string, ...steps: object[]) => ({ workflow, steps })
const save = (...of: Parameters<typeof define>) => api.post('/workflows', { definition: define(...of) })
const problemsOf = async (...steps: object[]): Promise<string[]> => {
  const { body } = await api.post('/workflows/validate', { definition: define('checked', ...steps), strict: true })
  return body.problems.map(({ pointer, message }: { pointer: string; message: string }) => `${pointer} ${message}`)
}
const sub = (workflow: string, version?: string) => ({ name: 's', kind: 'subWorkflow', workflow, version })

describe('what a definition names is looked up', () => {
  it('inputs by the schemas of agents and of workflows', async () => {
    const judge = { name: 'a', kind: 'task', capability: 'text.judge', input: { text: 'x' } }
    expect(await problemsOf(judge, { ...judge, name: 'b', input: { text: '{% $a %}' } })).toEqual([
      '#/steps/1/input/text text.judge takes a text as its input.text, not fields',
    ])
    expect(await problemsOf({ ...judge, input: 5, capability: 'text.grade' })).toEqual([])
    expect(await problemsOf({ ...judge, input: 5, capability: 'text.grade', agent: 'desk' })).toHaveLength(1)
    await api.post('/workflows', {
      definition: { ...define('numbers', { name: 'a', kind: 'set', value: 1 }), input: text },
    })
    expect(await problemsOf({ ...sub('numbers'), input: 5 })).toEqual([
      '#/steps/0/input workflow numbers takes fields as its input, not a number',
    ])
  })

  it('recipients, and agents that do not offer what they are asked for', async () => {
    const to = (recipient: object) => problemsOf({ name: 'a', kind: 'message', type: 't', to: recipient })
    expect(await to({ agent: 'nope' })).toEqual(['#/steps/0/to/agent there is no agent nope: the step will fail'])
    expect(await to({ queue: 'nope' })).toEqual(['#/steps/0/to/queue there is no queue nope: the step will fail'])
    expect(await to({ capability: 'no.pe' })).toHaveLength(1)
    expect(await to({ queue: 'letters' })).toEqual([])
    expect(await problemsOf({ name: 'a', kind: 'task', agent: 'other', capability: 'text.judge' })).toEqual([
      '#/steps/0/capability agent other does not offer text.judge: the step will fail; it offers text.grade',
    ])
  })

  it('versions of workflows, also of one that a subscription starts', async () => {
    await save('once', { name: 'a', kind: 'set', value: 1 })
    expect(await problemsOf(sub('once', 'nope'))).toEqual([
      '#/steps/0/version workflow once has no version or alias nope: the step will fail; it has versions 1 to 1',
    ])
    expect(await problemsOf(sub('once', '1'))).toEqual([])
    const subscribe = (version: string) =>
      api.post('/subscriptions', { topic: 't', target: { workflow: 'once', version } })
    expect(await subscribe('nope')).toMatchObject({
      status: 422,
      body: { errors: [{ pointer: '#/target/version', code: 'NOT_FOUND' }] },
    })
    expect((await subscribe('1')).status).toBe(201)
  })

  it('workflows that start each other again', async () => {
    expect((await save('ma', sub('mb'))).body.problems).toMatchObject([{ code: 'UNKNOWN_WORKFLOW' }])
    expect((await save('mb', sub('ma'))).body.problems).toMatchObject([
      { code: 'ENDLESS', message: expect.stringContaining('mb starts ma starts mb on every way') },
    ])
    expect(await problemsOf(sub('ma'))).toEqual([])
  })
})
