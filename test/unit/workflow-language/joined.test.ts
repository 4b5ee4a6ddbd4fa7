import { describe, expect, it } from 'vitest'
import { answering } from '#shared/workflow-language/answering.ts'
import { compile } from '#shared/workflow-language/compile/compile.ts'
import { validate } from '#shared/workflow-language/validate/validate.ts'

const definitionOf = (...steps: string[]) => {
  const { definition, problems } = validate(`workflow: w\nsteps:\n${steps.map((step) => `  - ${step}\n`).join('')}`)
  if (definition === undefined) throw new Error(JSON.stringify(problems))
  return definition
}
const task = (name: string, more = '') => `{ name: ${name}, kind: task, agent: x${more} }`
const set = (name: string, value: string) => `{ name: ${name}, kind: set, value: ${value} }`
const found = (...steps: string[]) => {
  const { names, results } = answering(definitionOf(...steps).steps)
  return { names: [...names].toSorted(), results }
}

describe('what a block answers with', () => {
  const choice = `{ name: c, kind: choice, cases: [{ when: '{% $input %}', steps: [${task('b')}] }], otherwise: [${task('d')}] }`
  const caught = task('b', `, catch: [{ steps: [${task('d')}] }]`)
  const loop = `{ name: r, kind: repeat, until: '{% true %}', atMost: 3, steps: [${task('b')}] }`
  it.each([
    { what: 'its last step', steps: [task('a'), task('b')], names: ['b'], results: 1 },
    { what: 'one way of a choice', steps: [task('a'), choice], names: ['b', 'd'], results: 1 },
    { what: 'what failed, or what was done instead', steps: [caught], names: ['b', 'd'], results: 1 },
    { what: 'the last round of a loop', steps: [loop], names: ['b'], results: 1 },
    {
      what: 'the values that are set from results as a whole',
      steps: [
        task('a'),
        task('b'),
        set('m', "{ b: '{% $b %}', again: '{% $b %}' }"),
        set('z', "['{% $a %}', '{% $m %}']"),
      ],
      names: ['a', 'b'],
      results: 3,
    },
    {
      what: 'no result of which it looks at fields alone',
      steps: [task('a'), set('z', "'{% $a.score %}'")],
      names: [],
      results: 0,
    },
    {
      what: 'an output that has results',
      steps: [task('a'), task('b', ", output: { a: '{% $a %}', b: '{% $states.result %}' }")],
      names: ['a', 'b'],
      results: 2,
    },
    {
      what: 'an output of fields',
      steps: [task('b', ", output: '{% $states.result.score %}'")],
      names: [],
      results: 0,
    },
  ])('is $what', ({ steps, names, results }) => expect(found(...steps)).toEqual({ names, results }))
})

/** What the commands of a machine tell of what their results are joined with. */
const joinedIn = (part: unknown): Record<string, unknown> => {
  if (part === null || typeof part !== 'object') return {}
  const body = (part as { MessageBody?: { step: { name: string }; joined?: unknown } }).MessageBody
  if (body !== undefined) return { [body.step.name]: body.joined }
  return Object.assign({}, ...Object.values(part).map(joinedIn))
}
const joined = (...steps: string[]) => joinedIn(compile(definitionOf(...steps)).run)
const map = (name: string, items: string, ...steps: string[]) =>
  `{ name: ${name}, kind: map, items: ${items}, steps: [${steps.join(', ')}] }`
const parallel = (name: string, ...steps: string[]) =>
  `{ name: ${name}, kind: parallel, branches: { ${steps.map((step, at) => `${name}${at}: [${step}]`).join(', ')} } }`
const ofItem = '$states.context.Map.Item.Value.of'

describe('a command tells how many results are joined', () => {
  it('of no step in the flow of a run, and of branches by their number', () => {
    expect(joined(task('a'), parallel('p', task('b'), task('d')))).toEqual({
      a: undefined,
      b: { block: 'p', of: 2 },
      d: { block: 'p', of: 2 },
    })
  })

  it('of the items of a map, which the definition has or the run', () => {
    expect(joined(map('m', '[1, 2, 3]', task('a'), task('b')))).toEqual({ a: undefined, b: { block: 'm', of: 3 } })
    const many = map('m', "'{% $input %}'", task('b'))
    expect(joined(many)).toEqual({ b: { block: 'm', of: `{% ${ofItem} %}` } })
    expect(JSON.stringify(compile(definitionOf(many)))).toContain('$count($items)')
    const sums = map('m', "'{% $input %}'", task('b'), set('s', "'{% $b.score %}'"))
    expect(JSON.stringify(compile(definitionOf(sums)))).not.toContain('$count($items)')
  })

  it('of blocks in each other as often as all of them', () => {
    const inner = parallel('p', task('b'), map('n', '[1, 2]', task('d')))
    expect(joined(map('m', "'{% $input %}'", inner))).toEqual({
      b: { block: 'm', of: `{% ${ofItem} * 2 %}` },
      d: { block: 'm', of: `{% ${ofItem} * 2 %}` },
    })
    const text = JSON.stringify(compile(definitionOf(map('m', "'{% $input %}'", inner))))
    expect(text).toContain(`$of := $count($items) * ${ofItem}`)
    expect(joined(map('m', "'{% $input %}'", parallel('p', task('b'), task('d')), task('e')))).toMatchObject({
      b: { of: 2 },
      d: { of: 2 },
      e: { block: 'm', of: `{% ${ofItem} %}` },
    })
  })

  it('in each round of a loop anew, and of ballots with their choice', () => {
    const loop = `{ name: r, kind: repeat, until: '{% true %}', atMost: 3, steps: [${parallel('p', task('b'))}] }`
    expect(joined(loop)).toEqual({ b: { block: '{% "p" & " " & $rRound %}', of: 1 } })
    const vote = '{ name: v, kind: vote, quorum: 1, voters: [{ agent: x }, { agent: y }] }'
    expect(joined(vote)).toMatchObject({ v_1: { of: 3 }, v_2: { of: 3 } })
    expect(joined(parallel('p', vote, task('b')))).toMatchObject({ v_1: { of: 12 }, b: { block: 'p', of: 2 } })
  })
})
