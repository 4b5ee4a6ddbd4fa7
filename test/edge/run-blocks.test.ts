import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { anApi, type TestApi } from '#test/support/api.ts'
import { eventually } from '#test/support/eventually.ts'
import { aRowWorker } from '#test/support/row-worker.ts'

let api: TestApi
let worker: Awaited<ReturnType<typeof aRowWorker>>
beforeAll(async () => {
  api = await anApi()
  worker = await aRowWorker(api, 'hand', ['double'], (input) => ({ result: Number(input) * 2 }))
})
afterAll(async () => {
  await worker?.stop()
  await api?.close()
})

const outcome = async (definition: string) => {
  const { status, body } = await api.post('/workflows', { definition })
  if (status >= 300) throw new Error(JSON.stringify(body))
  const { id } = (await api.post(`/workflows/${body.name}/runs`)).body
  return eventually(async () => {
    const run = (await api.get(`/runs/${id}`)).body
    expect(['RUNNING', 'COMPENSATING']).not.toContain(run.state)
    return run
  })
}
const stuck = (name: string) => `{ name: ${name}, kind: task, capability: nobody.offers.this }`
const double = (name: string) => `{ name: ${name}, kind: task, capability: double, input: 2 }`
const late = "catch: [{ errors: [TIMEOUT], steps: [{ name: late, kind: set, value: '{% $blockError.cause %}' }] }]"

describe('a block with a time for the whole of it', () => {
  it.concurrent.each([
    ['parallel', `branches: { a: [${double('fine')}], b: [${stuck('slow')}] }`],
    ['map', `items: [1, 2], steps: [${stuck('slow')}]`],
    ['race', `branches: { a: [${stuck('slow')}], b: [${stuck('slower')}] }`],
    ['vote', 'quorum: 1, voters: [{ capability: nobody.offers.this }]'],
    ['repeat', `until: '{% $slow.ok %}', atMost: 3, steps: [${stuck('slow')}]`],
  ])('fails with TIMEOUT as a %s, and leaves nothing behind', async (kind, more) => {
    const run = await outcome(
      `workflow: late-${kind}\nsteps: [{ name: block, kind: ${kind}, timeout: 1s, ${late}, ${more} }]`,
    )
    expect(run).toMatchObject({ state: 'SUCCEEDED', output: 'block took longer than 1 s' })
    const states = new Set(run.steps.map(({ state }: { state: string }) => state))
    expect(states).not.toContain('RUNNING')
    await eventually(async () => {
      const tasks = (await api.get(`/tasks?workflowRun=${run.id}`)).body.items
      const open = tasks.filter(({ status }: { status: string }) => !['SUCCEEDED', 'CANCELLED'].includes(status))
      expect(open).toEqual([])
    })
  })

  it.concurrent.each([
    ['parallel', `branches: { a: [${double('one')}], b: [${double('two')}] }`, { a: 4, b: 4 }],
    ['map', `items: [1, 2], steps: [${double('one')}]`, [4, 4]],
    ['map', 'items: [], steps: [{ name: one, kind: set, value: 1 }]', []],
    ['race', `branches: { a: [${double('one')}], b: [${stuck('slow')}] }`, { branch: 'a', output: 4 }],
    ['vote', 'quorum: 1, voters: [{ capability: double, input: 3 }]', { choice: 6, votes: 1, of: 1, ballots: [6] }],
    ['repeat', `until: '{% $blockRound = 2 and $one = 4 %}', atMost: 3, steps: [${double('one')}]`, 4],
  ])('answers as without one as a %s that ends in time', async (kind, more, output) => {
    const run = await outcome(
      `workflow: timely-${kind}\nsteps: [{ name: block, kind: ${kind}, timeout: 1h, ${more} }]\noutput: '{% $block %}'`,
    )
    expect(run).toMatchObject({ state: 'SUCCEEDED', output })
    expect(run.steps.map(({ kind: one }: { kind: string }) => one)).not.toContain('timer')
  })

  it.concurrent('fails the run when nothing catches it, after as many tries as it has', async () => {
    const run = await outcome(
      `workflow: twice\nsteps: [{ name: block, kind: parallel, timeout: 3s, retry: { attempts: 2, initialSeconds: 1 }, branches: { a: [${stuck('slow')}] } }]`,
    )
    expect(run).toMatchObject({ state: 'FAILED', error: 'TIMEOUT', cause: 'block took longer than 3 s' })
    expect(run.steps.filter(({ name }: { name: string }) => name === 'slow')).toHaveLength(2)
  })
})
