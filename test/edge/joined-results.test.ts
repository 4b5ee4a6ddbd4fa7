import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RunStep } from '#shared/domain/workflows/run.ts'
import { findStep, stepItem } from '#shared/domain/workflows/run-store.ts'
import { recordEnd } from '#shared/domain/workflows/steps/end-step.ts'
import { anApi, anAwsApi, type TestApi } from '#test/support/api.ts'
import { dynoxideBinary } from '#test/support/aws-servers.ts'
import { aRowWorker } from '#test/support/row-worker.ts'
import { workflowRuns } from '#test/support/workflow-runs.ts'

let api: TestApi
let worker: Awaited<ReturnType<typeof aRowWorker>>
const inputs: unknown[] = []
beforeAll(async () => {
  api = await anApi()
  worker = await aRowWorker(api, 'hand', ['make', 'take', 'same'], (input: never, { capability }) => {
    if (capability === 'take') inputs.push(input)
    if (capability === 'same') return { result: { verdict: 'yes', text: 'x'.repeat(30_000) } }
    return { result: capability === 'make' ? made(input) : null }
  })
})
afterAll(async () => {
  await worker?.stop()
  await api?.close()
})

const { save, start, ended, outcome } = workflowRuns(() => api)

type Wish = { id: number; bytes: number }
const made = ({ id, bytes }: Wish) => ({ id, findings: [{ at: id }], text: 'x'.repeat(bytes) })
const wishes = (count: number, bytes: number): Wish[] => Array.from({ length: count }, (_, id) => ({ id, bytes }))
const make = (name: string, input: string) => `{ name: ${name}, kind: task, capability: make, input: '{% ${input} %}' }`
/** Of each result its id, whether its text is there, and whether it is a reference. */
const told = (list: string) =>
  `'{% $map(${list}, function($one) { { "id": $one.id, "at": $one.findings.at, "text": $exists($one.text), "ref": $exists($one."$ref") } })[] %}'`
type Told = { id: number; at: number; text: boolean; ref: boolean }
const ids = (results: Told[]) => results.map(({ id, at }) => [id, at])
const refsOf = (results: Told[]): number => results.filter(({ ref }) => ref).length

const mapOver = (name: string, more = '') => `
workflow: ${name}
steps:
  - { name: all, kind: map, items: '{% $input %}', steps: [${make('one', '$item')}]${more} }
output: ${told('$all')}
`

describe('the results that a block joins', () => {
  it('of many items are references with their small fields where they are more than a state can have', async () => {
    const run = await outcome(mapOver('many'), wishes(60, 10_000))
    expect(run).toMatchObject({ state: 'SUCCEEDED' })
    expect(ids(run.output)).toEqual(wishes(60, 0).map(({ id }) => [id, id]))
    expect(refsOf(run.output)).toBeGreaterThan(40)
    expect(refsOf(run.output)).toBeLessThan(60)
    expect(run.output.filter(({ text, ref }: Told) => text === ref)).toEqual([])
  })

  it('are whole where there is room for all, be they even or one of them larger', async () => {
    const even = await outcome(mapOver('even'), wishes(60, 3000))
    expect(refsOf(even.output)).toBe(0)
    const { id } = await start('even', [{ id: 0, bytes: 29_000 }, ...wishes(60, 1000).slice(1)])
    expect(refsOf((await ended(id)).output)).toBe(0)
  })

  it('of a thousand items are references alone', async () => {
    const text = mapOver('thousand').replace(/output: .*/, `output: '{% $count($all."$ref") %}'`)
    const { id } = await start(await save(text), wishes(1000, 600))
    expect(await ended(id, 60)).toMatchObject({ state: 'SUCCEEDED', output: expect.any(Number) })
  })

  it('of branches, and of maps in branches, have one room', async () => {
    const branches = Array.from({ length: 10 }, (_, at) => `b${at}: [${make(`m${at}`, '$input[0]')}]`)
    const parallel = `workflow: branches\nsteps: [{ name: all, kind: parallel, branches: { ${branches.join(', ')} } }]`
    const run = await outcome(`${parallel}\noutput: ${told('$each($all, function($one) { $one })')}`, wishes(1, 29_000))
    expect(run).toMatchObject({ state: 'SUCCEEDED' })
    expect(refsOf(run.output)).toBe(5)
    const inner = (name: string) =>
      `[{ name: ${name}, kind: map, items: '{% $input %}', as: ${name}row, steps: [{ name: ${name}s, kind: map, items: '{% $${name}row %}', steps: [${make(`${name}m`, '$item')}] }] }]`
    const nested = await outcome(
      `
workflow: nested
steps: [{ name: all, kind: parallel, branches: { a: ${inner('a')}, b: ${inner('b')} } }]
output: ${told('$append($reduce($all.a, $append), $reduce($all.b, $append))')}
`,
      [wishes(10, 10_000), wishes(10, 10_000), wishes(10, 10_000)],
    )
    expect(nested).toMatchObject({ state: 'SUCCEEDED' })
    expect(ids(nested.output)).toHaveLength(60)
    expect(refsOf(nested.output)).toBeGreaterThan(0)
  })

  it('leave results that are not among them whole', async () => {
    const run = await outcome(
      `
workflow: looked-at
steps:
  - name: all
    kind: map
    items: '{% $input %}'
    steps:
      - ${make('one', '$item')}
      - { name: size, kind: set, value: '{% $length($one.text) %}' }
output: '{% $sum($all) %}'
`,
      wishes(60, 10_000),
    )
    expect(run).toMatchObject({ state: 'SUCCEEDED', output: 600_000 })
  })

  it('have their room in each round of a loop', async () => {
    const run = await outcome(
      `
workflow: rounds
steps:
  - name: again
    kind: repeat
    atMost: 3
    until: '{% $againRound = 3 %}'
    steps: [{ name: all, kind: map, items: '{% $input %}', steps: [${make('one', '$item')}] }]
output: ${told('$all')}
`,
      [{ id: 0, bytes: 29_000 }, ...wishes(40, 500).slice(1)],
    )
    expect(run).toMatchObject({ state: 'SUCCEEDED' })
    expect(refsOf(run.output)).toBe(0)
  })

  it('of a vote are equal where they were', async () => {
    const voters = Array.from({ length: 12 }, () => '{ capability: same, input: {} }').join(', ')
    const vote = `{ name: ballots, kind: vote, quorum: 12, voters: [${voters}] }`
    const run = await outcome(`workflow: votes\nsteps: [${vote}]\noutput: '{% $ballots.choice.verdict %}'`)
    expect(run).toMatchObject({ state: 'SUCCEEDED', output: 'yes' })
  })

  it('are told by the winner of a race as well', async () => {
    const race = `{ name: first, kind: race, branches: { a: [${make('one', '$input')}] } }`
    const text = `workflow: races\nsteps: [${race}]\noutput: '{% $first.output.id %}'`
    expect(await outcome(text, { id: 7, bytes: 32_600 })).toMatchObject({ state: 'SUCCEEDED', output: 7 })
  })
})

describe('a large result that goes on', () => {
  it('is the whole input of a sub-workflow, and one that is an object stays that', async () => {
    await save(`workflow: taker\nsteps: [{ name: size, kind: set, value: '{% $exists($input.text) %}' }]`)
    const child = `{ name: child, kind: subWorkflow, workflow: taker, input: '{% $one %}' }`
    const text = `workflow: gives\nsteps: [${make('one', '$input')}, ${child}]\noutput: '{% $child %}'`
    expect(await outcome(text, { id: 1, bytes: 100_000 })).toMatchObject({ state: 'SUCCEEDED', output: true })
    expect(await ended((await start('gives', { id: 1, bytes: 250_000 })).id)).toMatchObject({ output: false })
    const { id } = (await api.post('/objects', { contentType: 'application/json' })).body
    await api.platform.objects.put({ tenant: 'default', id }, Buffer.from(JSON.stringify(made({ id: 1, bytes: 10 }))))
    const given = text
      .replace('gives', 'given')
      .replace(make('one', '$input'), `{ name: one, kind: set, value: '{% $input %}' }`)
    expect(await outcome(given, { $ref: id })).toMatchObject({ state: 'SUCCEEDED', output: false })
  })
})

it.skipIf(dynoxideBinary() === undefined)('results share their room on AWS, also when many come at once', async () => {
  const aws = await anAwsApi()
  const { platform } = aws
  const endOf = async (at: number): Promise<RunStep> => {
    const id = { tenant: 'default', run: 'run_1', id: `s${at}` }
    const joined = { of: 60, block: 'all' }
    const step: RunStep = { ...id, name: 'one', kind: 'task', state: 'RUNNING', startedAt: 1, joined }
    await platform.main.write({ op: 'put', item: stepItem(step), expect: 'any' })
    const found = await findStep(platform, id)
    if (found === undefined) throw new Error('the step is not there')
    return recordEnd(platform, found, { output: made({ id: at, bytes: 10_000 }) })
  }
  const steps = await Promise.all(wishes(60, 0).map(({ id }) => endOf(id)))
  const sizes = steps.map(({ output }) => (output?.in === 'item' ? output.size : 0))
  const whole = sizes.filter((size) => size > 9000)
  expect(whole).toHaveLength(12)
  const references = steps.flatMap(({ output }) => (output?.in === 'head' ? [output.value] : []))
  expect(references).toHaveLength(48)
  for (const one of references)
    expect(one).toEqual({ id: expect.any(Number), findings: [expect.anything()], $ref: expect.stringMatching(/^obj_/) })
  await aws.close()
})
