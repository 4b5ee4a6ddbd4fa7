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
const taken: unknown[] = []
let failures = 0
const capabilities = ['make', 'take', 'fail-once']
beforeAll(async () => {
  api = await anApi()
  worker = await aRowWorker(api, 'hand', capabilities, (input: never, { capability }) => {
    if (capability === 'make') return { result: made(input) }
    if (capability === 'take') taken.push(input)
    const fails = capability === 'fail-once' && failures++ === 0
    return fails ? { fails: { code: 'AGENT_ERROR', message: 'once' } } : { result: null }
  })
})
afterAll(async () => {
  await worker?.stop()
  await api?.close()
})

const { save, start, ended, outcome } = workflowRuns(() => api)

type Wish = { id: number; bytes: number; $ref?: string }
type Result = { id: number; findings: unknown[]; text?: string; $ref?: string }
const made = ({ id, bytes, ...more }: Wish): Result => ({
  id,
  findings: [{ at: id }],
  text: 'x'.repeat(bytes),
  ...more,
})
const wishes = (count: number, bytes: number): Wish[] => Array.from({ length: count }, (_, id) => ({ id, bytes }))
const task = (name: string, input: string, more = '') =>
  `{ name: ${name}, kind: task, capability: make, input: '{% ${input} %}'${more} }`
const isReference = ({ text, $ref }: Result): boolean => text === undefined && $ref !== undefined
const referencesIn = (results: Result[]): number => results.filter(isReference).length
const objectOf = async ($ref = ''): Promise<Result> => {
  const found = await api.platform.objects.get({ tenant: 'default', id: $ref })
  return JSON.parse(await new Response(found?.body).text())
}
/** A large output is an object. */
const outputOf = async ({ output, outputRef }: { output?: unknown; outputRef?: { $ref: string } }) =>
  (outputRef === undefined ? output : await objectOf(outputRef.$ref)) as never
const answer = async (text: string, input: unknown) => {
  const run = await outcome(text, input)
  expect(run).toMatchObject({ state: 'SUCCEEDED' })
  return outputOf(run)
}
const tooMuch = { state: 'FAILED', error: 'States.DataLimitExceeded' }

const mapOver = (name: string, { steps = [task('one', '$item')], more = '', output = "'{% $all %}'" } = {}) => `
workflow: ${name}
steps:
  - { name: all, kind: map, items: '{% $input %}', steps: [${steps.join(', ')}]${more} }
  - { name: give, kind: set, value: 1 }
output: ${output}
`
const parallel = (branches: string[], more = '') =>
  `{ name: all, kind: parallel, branches: { ${branches.map((one, at) => `b${at}: [${one}]`).join(', ')} }${more} }`

describe('the results that a block joins', () => {
  it('are references with their small fields where all are more than a state can have, and go on whole', async () => {
    const text = mapOver('many', { output: `{ all: '{% $all %}', n: '{% $count($all) %}' }` })
    const give = `- { name: give, kind: task, capability: take, input: '{% $all %}' }`
    const run: { all: Result[]; n: number } = await answer(
      text.replace('- { name: give, kind: set, value: 1 }', give),
      wishes(60, 10_000),
    )
    expect(run.n).toBe(60)
    const { all } = run
    expect(all.map(({ id, findings }) => [id, findings])).toEqual(wishes(60, 0).map(({ id }) => [id, [{ at: id }]]))
    expect(referencesIn(all)).toBe(37)
    expect(all.filter((one) => isReference(one) === (one.text !== undefined))).toEqual([])
    const { id = 0, $ref } = all.find(isReference) ?? {}
    expect(await objectOf($ref)).toEqual(made({ id, bytes: 10_000 }))
    expect(taken.at(-1)).toEqual(all)
  })

  it('are whole where they have room, however uneven', async () => {
    const even: Result[] = await answer(mapOver('fits'), wishes(25, 9400))
    expect(referencesIn(even)).toBe(0)
    const uneven = wishes(100, 400).map((one) => (one.id < 5 ? { ...one, bytes: 29_000 } : one))
    expect(referencesIn(await outputOf(await ended((await start('fits', uneven)).id)))).toBe(0)
  })

  it('of branches, and of maps in maps, have one room', async () => {
    const branches = Array.from({ length: 10 }, (_, at) => task(`m${at}`, '$input[0]'))
    const run = await answer(`workflow: branches\nsteps: [${parallel(branches)}]`, wishes(1, 29_000))
    expect(referencesIn(Object.values(run))).toBe(2)
    const inner = `{ name: row, kind: map, items: '{% $group %}', steps: [${task('one', '$item')}] }`
    const each = [wishes(10, 10_000), wishes(10, 10_000), wishes(20, 10_000)]
    const nested: Result[][] = await answer(mapOver('nested', { steps: [inner], more: ', as: group' }), each)
    expect(nested.map((row) => row.length)).toEqual([10, 10, 20])
    expect(referencesIn(nested.flat())).toBeGreaterThan(10)
  })

  it.each([
    { name: 'filtered', output: `'{% $count($all[id > 30]) %}'` },
    { name: 'read', output: `'{% $count($all.text) %}'` },
    { name: 'bound', output: `'{% ($a := $all; $count($a)) %}'` },
  ])('are what they are where they are looked into, though that is too much: $name', async ({ name, output }) => {
    expect(await outcome(mapOver(name, { output }), wishes(40, 10_000))).toMatchObject(tooMuch)
  })

  it('are what they are for what looks into them in the block', async () => {
    const counts = [task('one', '$item'), `{ name: n, kind: set, value: '{% ($o := $one; $length($o.text)) %}' }`]
    const sum = await outcome(mapOver('sums', { steps: counts, output: `'{% $sum($all) %}'` }), wishes(40, 10_000))
    expect(sum).toMatchObject({ state: 'SUCCEEDED', output: 400_000 })
    const [one, way] = [
      task('one', '$item'),
      (name: string) => `{ name: ${name}, kind: set, value: { found: '{% $one %}' } }`,
    ]
    const choice = `{ name: c, kind: choice, cases: [{ when: '{% $exists($one.text) %}', steps: [${way('yes')}] }], otherwise: [${way('no')}] }`
    expect(await outcome(mapOver('chooses', { steps: [one, choice] }), wishes(40, 10_000))).toMatchObject(tooMuch)
  })

  it('are what they are for what undoes them', async () => {
    const undo = `, compensate: [{ name: undo, kind: task, capability: take, input: { size: '{% $length($output.text) %}' } }]`
    const steps = [task('one', '$item', undo)]
    const fails = mapOver('undone', { steps }).replace('kind: set, value: 1', 'kind: fail, error: NO')
    const run = await outcome(fails, wishes(24, 10_000))
    expect(run).toMatchObject({ error: 'NO', undone: wishes(24, 0).map(() => ({ undone: true })) })
    expect(taken.slice(-24)).toEqual(wishes(24, 0).map(() => ({ size: 10_000 })))
  })

  it('have their room in each round of a loop, in each try, and no part in rounds of their own', async () => {
    const loop = (name: string, step: string) =>
      `{ name: ${name}, kind: repeat, atMost: 3, until: '{% $${name}Round = 3 %}', steps: [${step}] }`
    const text = mapOver('rounds').replace(/- (\{ name: all.*\})/, (_, all) => `- ${loop('again', all)}`)
    expect(referencesIn(await answer(text, wishes(24, 10_000)))).toBe(0)
    const branches = Array.from({ length: 20 }, (_, at) => loop(`r${at}`, task(`m${at}`, '$input')))
    const inner = await answer(`workflow: inner-rounds\nsteps: [${parallel(branches)}]`, { id: 1, bytes: 11_000 })
    expect(referencesIn(Object.values(inner))).toBe(0)
    const tried = Array.from({ length: 20 }, (_, at) => task(`m${at}`, '$input'))
    const flaky = '{ name: w, kind: wait, for: 1 }, { name: f, kind: task, capability: fail-once, input: 1 }'
    const retried = parallel([...tried, flaky], ', retry: { attempts: 2, initialSeconds: 1 }')
    const again = await answer(`workflow: tries\nsteps: [${retried}]`, { id: 1, bytes: 11_000 })
    expect(failures).toBe(2)
    expect(referencesIn(Object.values(again).filter((one): one is Result => one !== null))).toBe(0)
  })

  it('are kept whole also where they have a reference of their own, and once where they were kept', async () => {
    const { id: own } = (await api.post('/objects', { contentType: 'application/json' })).body
    const run: Result[] = await answer(
      mapOver('own'),
      wishes(60, 10_000).map((one) => ({ ...one, $ref: own })),
    )
    const one = run.find(isReference)
    expect(one?.$ref).not.toBe(own)
    expect(await objectOf(one?.$ref)).toEqual(made({ id: one?.id ?? 0, bytes: 10_000, $ref: own }))
    const grown = `{ name: more, kind: set, value: '{% $merge([$one, { "review": $pad("r", 4000) }]) %}' }`
    await save(`workflow: grows\nsteps: [${task('one', '$input')}, ${grown}]`)
    const child = `{ name: one, kind: subWorkflow, workflow: grows, input: '{% $item %}' }`
    const children: (Result & { review?: string })[] = await answer(
      mapOver('children', { steps: [child] }),
      wishes(80, 33_000),
    )
    const cut = children.find(({ review }) => review === undefined)
    expect(await objectOf(cut?.$ref)).toMatchObject({ id: cut?.id, review: expect.stringMatching(/^r/) })
    const large: Result[] = await answer(mapOver('large'), wishes(9, 33_000))
    expect(await objectOf(large[0]?.$ref)).toEqual(made({ id: 0, bytes: 33_000 }))
  })

  it('of a map over a list in the definition fail where an item of it gives nothing', async () => {
    const inner = `{ name: pair, kind: map, items: ['{% $group.a %}', '{% $group.b %}'], steps: [${task('one', '{"id": $item, "bytes": 1}')}] }`
    const text = mapOver('static', { steps: [inner], more: ', as: group' })
    expect(await outcome(text, [{ a: 1 }])).toMatchObject({ state: 'FAILED', error: 'States.QueryEvaluationError' })
    const run = await ended((await start('static', [{ a: 1, b: 2 }])).id)
    expect(run).toMatchObject({ output: [[{ id: 1 }, { id: 2 }]] })
  })
})

describe('a large result that goes on', () => {
  it('is the whole input of a sub-workflow, and one that is an object stays that', async () => {
    await save(`workflow: taker\nsteps: [{ name: size, kind: set, value: '{% $exists($input.text) %}' }]`)
    const child = `{ name: child, kind: subWorkflow, workflow: taker, input: '{% $one %}' }`
    const text = `workflow: gives\nsteps: [${task('one', '$input')}, ${child}]\noutput: '{% $child %}'`
    expect(await outcome(text, { id: 1, bytes: 100_000 })).toMatchObject({ state: 'SUCCEEDED', output: true })
    expect(await ended((await start('gives', { id: 1, bytes: 250_000 })).id)).toMatchObject({ output: false })
    const { id } = (await api.post('/objects', { contentType: 'application/json' })).body
    await api.platform.objects.put({ tenant: 'default', id }, Buffer.from(JSON.stringify(made({ id: 1, bytes: 10 }))))
    const given = text
      .replace('gives', 'given')
      .replace(task('one', '$input'), `{ name: one, kind: set, value: '{% $input %}' }`)
    expect(await outcome(given, { $ref: id })).toMatchObject({ state: 'SUCCEEDED', output: false })
  })

  it('keeps what was laid over it', async () => {
    await save(
      `workflow: reads\nsteps: [{ name: seen, kind: set, value: { of: '{% $keys($input) %}', id: '{% $input.id %}' } }]`,
    )
    const more = '$merge([$one, { "mode": "strict", "id": 2 }])'
    const child = `{ name: child, kind: subWorkflow, workflow: reads, input: '{% ${more} %}' }`
    const own = `{ name: own, kind: task, capability: take, input: '{% ${more} %}' }`
    const text = `workflow: lays\nsteps: [${task('one', '$input')}, ${own}, ${child}]`
    for (const bytes of [100, 100_000]) {
      const run = await outcome(text.replace('lays', `lays-${bytes}`), { id: 1, bytes })
      expect(run).toMatchObject({ output: { of: ['id', 'findings', 'text', 'mode'], id: 2 } })
      expect(taken.at(-1)).toMatchObject({ id: 2, mode: 'strict' })
    }
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
  expect(whole).toHaveLength(23)
  const references = steps.flatMap(({ output }) => (output?.in === 'head' ? [output.value] : []))
  expect(references).toHaveLength(37)
  for (const one of references)
    expect(one).toEqual({ id: expect.any(Number), findings: [expect.anything()], $ref: expect.stringMatching(/^obj_/) })
  await aws.close()
})
