import { expect, it } from 'vitest'
import { validate } from '#shared/workflow-language/validate/validate.ts'
import { inSteps, problemsOf, task } from './definitions.ts'

it('bounds steps, levels, and the text', () => {
  const nest = (levels: number): string =>
    levels === 0 ? task('leaf') : `{ name: p${levels}, kind: parallel, branches: { b: [${nest(levels - 1)}] } }`
  expect(problemsOf(inSteps(nest(29)))).toEqual([])
  expect(problemsOf(inSteps(nest(30)))[0]).toContain('TOO_DEEP')
  expect(problemsOf(`workflow: w\nsteps: ${'['.repeat(5000)}`)[0]).toMatch(/SYNTAX|TOO_DEEP/)
  const many = (count: number) => inSteps(...Array.from({ length: count }, (_, at) => task(`s${at}`)))
  expect(problemsOf(many(1000))).toEqual([])
  expect(problemsOf(many(1001))[0]).toMatch(/TOO_LARGE|SCHEMA/)
  expect(problemsOf('x'.repeat(300_000))).toEqual([expect.stringContaining('a definition may have 256 KiB')])
})

it('looks for each name once, however often it is used', { timeout: 10_000 }, () => {
  const list = Array(16_000).fill('*a').join(',')
  expect(problemsOf(`${inSteps('{ name: x, kind: set, value: &a 1 }')}other: [${list}]\n`)[0]).toContain(
    'an alias here, with those in it, is used more than 100 times',
  )
  expect(problemsOf('workflow: w\nsteps: [*b, *c]\nlast: &b 1\n')).toEqual([
    'error SYNTAX 2:9 # nothing before it is named &b',
    'error SYNTAX 2:13 # nothing before it is named &c',
  ])
})

it('takes no more parts than a text of its size has', () => {
  const vast = `{ a: &a [${'1,'.repeat(100_000)}], b: [${'*a,'.repeat(95)}] }`
  expect(problemsOf(inSteps(`{ name: x, kind: set, value: ${vast} }`))).toEqual([
    expect.stringMatching(/^error TOO_LARGE .* a definition has at most 131072 parts$/),
  ])
})

it('warns where there may be more to undo than an execution can', () => {
  const loop = (rounds: number) =>
    inSteps(
      `{ name: long, kind: repeat, until: '{% $x = 2 %}', atMost: ${rounds}, steps: [{ name: x, kind: task, agent: a, input: null, compensate: [{ name: y, kind: task, agent: a }] }] }`,
    )
  expect(problemsOf(loop(1700))).toEqual([])
  expect(problemsOf(loop(1900))).toEqual([
    expect.stringMatching(/^warning TOO_LONG .* to undo it may have some 26600 /),
  ])
})

it('warns of a map that nobody counts in a block of a long loop', () => {
  const map = `{ name: m, kind: map, items: '{% $input %}', steps: [{ name: z, kind: set, value: 1 }] }`
  const loop = (step: string) =>
    inSteps(
      `{ name: long, kind: repeat, until: '{% $x = 2 %}', atMost: 9, steps: [${step}, { name: x, kind: task, agent: a }] }`,
    )
  const block = `{ name: p, kind: parallel, branches: { one: [${map}], two: [{ name: y, kind: set, value: 1 }] } }`
  expect(problemsOf(loop(map))).toEqual([])
  expect(problemsOf(inSteps(block))).toEqual([])
  expect(problemsOf(loop(block))).toEqual([
    expect.stringMatching(/^warning TOO_LONG .*#\/steps\/0\/steps\/0\/branches\/one\/0\/items nobody counts/),
  ])
})

it('is not blown up by aliases that stand for aliases', () => {
  const lines = Array.from(
    { length: 12 },
    (_, at) => `a${at + 1}: &a${at + 1} [${Array(9).fill(`*a${at}`).join(', ')}]`,
  )
  expect(problemsOf(`a0: &a0 x\n${lines.join('\n')}`)[0]).toContain('SYNTAX')
})

it('refuses what compiles to more than a machine may have', () => {
  const cases = Array.from({ length: 60 }, (_, one) => ({
    when: `{% $input.n = ${one} %}`,
    steps: Array.from({ length: 8 }, (_, at) => ({ name: `c${one}_${at}_${'q'.repeat(50)}`, kind: 'set', value: 1 })),
  }))
  const value = { workflow: 'wide', steps: [{ name: 'pick', kind: 'choice', cases }] }
  expect(validate({ value })).toEqual({
    problems: [expect.objectContaining({ code: 'TOO_LARGE', pointer: '#/steps' })],
  })
})

it('warns of a loop, a round and a list that may have more events than an execution, where that cannot go on in another', () => {
  const loop = (atMost: number, more = '') =>
    `{ name: r, kind: repeat, until: '{% $b.ok %}', atMost: ${atMost}, steps: [${task('a')}, ${more}${task('b')}] }`
  const inner = `{ name: q, kind: repeat, until: '{% $c.ok %}', atMost: 100, steps: [${task('c')}] }, `
  expect(problemsOf(inSteps(loop(1000, inner)))).toEqual([])
  expect(problemsOf(inSteps(loop(100_000)))).toEqual([])
  const side = (steps: string) => inSteps(`{ name: p, kind: parallel, branches: { one: [${steps}] } }`)
  expect(problemsOf(side(loop(1000)))).toEqual([])
  expect(problemsOf(side(loop(1000, inner)))).toEqual([
    expect.stringMatching(
      /^warning TOO_LONG 3:\d+ #\/steps\/0\/branches\/one\/0\/atMost 1000 rounds have some 81\d{4} events, and an execution has 25000; .* repeat 30 times at most$/,
    ),
  ])
  const wide = `{ name: p, kind: parallel, branches: { one: [${loop(1000)}], two: [${loop(1000).replaceAll(/\b([rab])\b(?=[,.])/g, '$1$1')}] } }`
  const round = (atMost: number) =>
    inSteps(`{ name: l, kind: repeat, until: '{% $p.ok %}', atMost: ${atMost}, steps: [${wide}] }`)
  expect(problemsOf(round(10))).toEqual([
    expect.stringMatching(/^warning TOO_LONG 3:\d+ #\/steps\/0\/steps one round may have some 28\d{3} events, /),
  ])
  const list = (items: number) => {
    const steps = [{ name: 's', kind: 'set', value: 1 }]
    const map = { name: 'm', kind: 'map', items: Array(items).fill(0), steps }
    return problemsOf(JSON.stringify({ workflow: 'w', steps: [map] }))
  }
  expect(list(6000)).toEqual([])
  expect(list(30_000)).toEqual([
    expect.stringMatching(/^warning TOO_LONG .*#\/steps\/0\/items 30000 items have some 120004 /),
  ])
})
