import { describe, expect, it } from 'vitest'
import { answering } from '#shared/workflow-language/answering.ts'
import { compile } from '#shared/workflow-language/compile/compile.ts'
import { validate } from '#shared/workflow-language/validate/validate.ts'
import { wholeResults } from '#shared/workflow-language/whole-results.ts'

const definitionOf = (...steps: string[]) => {
  const { definition, problems } = validate(`workflow: w\nsteps:\n${steps.map((step) => `  - ${step}\n`).join('')}`)
  if (definition === undefined) throw new Error(JSON.stringify(problems))
  return definition
}
const task = (name: string, more = '') => `{ name: ${name}, kind: task, agent: x${more} }`
const set = (name: string, value: string) => `{ name: ${name}, kind: set, value: ${value} }`
const found = (...steps: string[]) => {
  const definition = definitionOf(...steps)
  const { names, results } = answering([definition.steps], wholeResults(definition))
  return { names: [...names].toSorted(), results }
}

describe('what a block answers with', () => {
  const choice = `{ name: c, kind: choice, cases: [{ when: '{% $input %}', steps: [${task('b')}] }], otherwise: [${task('d')}] }`
  const caught = task('b', `, catch: [{ steps: [${task('d')}] }]`)
  const loop = `{ name: r, kind: repeat, until: '{% true %}', atMost: 3, steps: [${task('b')}] }`
  const none = { names: [], results: 0 }
  it.each([
    { what: 'its last step', steps: [task('a'), task('b')], names: ['b'], results: 1 },
    { what: 'one way of a choice', steps: [task('a'), choice], names: ['b', 'd'], results: 1 },
    { what: 'what failed, or what was done instead', steps: [caught], names: ['b', 'd'], results: 1 },
    { what: 'no round of a loop', steps: [loop], ...none },
    {
      what: 'the values that are set from results as a whole',
      steps: [
        task('a'),
        task('b'),
        set('m', "{ b: '{% $b %}', again: '{% $b %}' }"),
        set('z', `['{% $a %}', '{% $m %}', '{% { "b": ($b) } %}']`),
      ],
      names: ['a', 'b'],
      results: 4,
    },
    { what: 'no result of which it looks at fields alone', steps: [task('a'), set('z', "'{% $a.score %}'")], ...none },
    {
      what: 'an output that has results',
      steps: [task('a'), task('b', ", output: { a: '{% $a %}', b: '{% $states.result %}' }")],
      names: ['a', 'b'],
      results: 2,
    },
    { what: 'an output of fields', steps: [task('b', ", output: '{% $states.result.score %}'")], ...none },
    { what: 'no vote', steps: ['{ name: v, kind: vote, quorum: 1, voters: [{ agent: x }, { agent: y }] }'], ...none },
    { what: 'no race', steps: [`{ name: r, kind: race, branches: { a: [${task('b')}] } }`], ...none },
  ])('is $what', ({ steps, names, results }) => expect(found(...steps)).toEqual({ names, results }))
})

describe('a result that something may look into', () => {
  const [one, all] = [task('one'), `{ name: all, kind: map, items: [1], steps: [${task('one')}] }`]
  const whole = (output: string, ...steps: string[]) =>
    [...wholeResults({ ...definitionOf(...steps), output })].filter((name) => ['one', 'all'].includes(name))
  it.each([
    '$count($one)',
    '$length($one.text)',
    '$one[0]',
    '$one.x',
    '$one[]',
    '($o := $one; $o)',
    '$merge([$one, {"a": 1}])',
    '[$one]',
    '$one = 1',
    '$one ? 1 : 2',
    '{ $one: 1 }',
    '{ "a": $one }.a',
    '$map([1], function($x) { $one })',
    '$one ~> $string()',
    '$one{"a": x}',
  ])('is not whole: %s', (code) => {
    expect(whole(`{% ${code} %}`, one)).toEqual([])
    expect(whole('{% $s %}', one, set('s', `'{% ${code} %}'`))).toEqual([])
    expect(whole('{% $s %}', task('one', `, output: '{% ${code.replaceAll('$one', '$states.result')} %}'`))).toEqual([])
  })

  it.each(['$all.verdict', '$all[0]', '$count($all.verdict)', '$count($all[x = 1])', '$append($all, 1)'])(
    'is not whole by what joins it: %s',
    (code) => expect(whole(`{% ${code} %}`, all)).toEqual([]),
  )

  it.each([
    { name: 'c', kind: 'choice', cases: [{ when: '{% $one.x %}', steps: [{ name: 'w', kind: 'wait', for: 1 }] }] },
    { name: 'c', kind: 'choice', cases: [{ when: '{% $one %}', steps: [{ name: 'w', kind: 'wait', for: 1 }] }] },
    {
      name: 'r',
      kind: 'repeat',
      atMost: 2,
      until: '{% $exists($one) %}',
      steps: [{ name: 'w', kind: 'wait', for: 1 }],
    },
    { name: 't', kind: 'task', agent: 'x', input: { a: '{% $one.x %}' } },
    { name: 't', kind: 'task', agent: 'x', affinityKey: '{% $one %}' },
    { name: 't', kind: 'subWorkflow', workflow: 'x', input: { a: '{% $one %}' } },
    { name: 'm', kind: 'message', topic: 't', body: { a: '{% $one %}' } },
    { name: 'q', kind: 'request', to: { agent: 'x' }, type: 't', body: '{% $one %}' },
    { name: 'a', kind: 'approval', prompt: '{% $one %}', people: ['p'] },
    { name: 'm', kind: 'map', items: '{% $one %}', steps: [{ name: 'w', kind: 'wait', for: 1 }] },
    { name: 'v', kind: 'vote', quorum: 1, voters: [{ agent: 'x', input: '{% $one.x %}' }, { agent: 'y' }] },
    { name: 's', kind: 'state', key: 'k', value: '{% $one %}' },
    { name: 'p', kind: 'parallel', branches: { compensate: [{ name: 's', kind: 'set', value: '{% $one.x %}' }] } },
  ])('is not whole: $kind', (step) => expect(whole('{% 1 %}', one, JSON.stringify(step))).toEqual([]))

  it('is not whole where undoing has it, or the machine may', () => {
    const undo = (input: string) => `, compensate: [{ name: u, kind: task, agent: x, input: '{% ${input} %}' }]`
    expect(whole('{% 1 %}', task('one', undo('$output')))).toEqual([])
    expect(whole('{% 1 %}', one, task('two', undo('$one')))).toEqual([])
    expect(whole('{% 1 %}', task('one', undo('$input')))).toEqual(['one'])
    expect(whole('{% 1 %}', one, task('two', `, output: '{% $states.context %}'`))).toEqual([])
  })

  it('is whole in what tasks and callers get, and where a list is counted', () => {
    expect(whole('{% { "all": $all, "n": $count($all) } %}', all)).toEqual(['all', 'one'])
    const given = task('t', `, input: { list: '{% $one %}' }`)
    expect(whole('{% $one %}', one, given)).toEqual(['one'])
    expect(whole('{% 1 %}', all.replace('items: [1]', `items: [1], output: '{% $states.result.x %}'`))).toEqual([])
  })
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
const eight = '[1, 2, 3, 4, 5, 6, 7, 8]'
const tasks = (count: number) => Array.from({ length: count }, (_, at) => task(`t${at}`))

describe('a command tells how many results are joined', () => {
  it('of no step in the flow of a run, and of branches by their number, where they may be too many', () => {
    expect(joined(task('a'), parallel('p', ...tasks(8)))).toMatchObject({ a: undefined, t0: { block: 'p', of: 8 } })
    expect(joined(parallel('p', ...tasks(7)))).toMatchObject({ t0: undefined })
  })

  it('of the items of a map, which the definition has or the run', () => {
    expect(joined(map('m', eight, task('a'), task('b')))).toEqual({ a: undefined, b: { block: 'm', of: 8 } })
    const many = map('m', "'{% $input %}'", task('b'))
    expect(joined(many)).toEqual({ b: { block: 'm', of: `{% ${ofItem} %}` } })
    expect(JSON.stringify(compile(definitionOf(many)))).toContain('$count($items)')
    const sums = map('m', "'{% $input %}'", task('b'), set('s', "'{% $b.score %}'"))
    expect(JSON.stringify(compile(definitionOf(sums)))).not.toContain('$count($items)')
    const empty = map('m', "'{% $input %}'", parallel('p', set('s', '1')))
    expect(JSON.stringify(compile(definitionOf(empty)))).not.toContain('$count($items)')
  })

  it('of blocks in each other as often as all of them', () => {
    const inner = parallel('p', task('b'), map('n', "['{% $item %}', 2]", task('d')))
    const text = map('m', "'{% $input %}'", inner)
    expect(joined(text)).toEqual({
      b: { block: 'm', of: `{% ${ofItem} * 2 %}` },
      d: { block: 'm', of: `{% ${ofItem} * 4 %}` },
    })
    expect(JSON.stringify(compile(definitionOf(text)))).toContain(`"Items":[{"item":"{%`)
    const lists = map('m', "'{% $input %}'", map('n', "'{% $item %}'", task('d')))
    expect(JSON.stringify(compile(definitionOf(lists)))).toContain(`$of := $count($items) * ${ofItem}`)
    expect(joined(map('m', "'{% $input %}'", parallel('p', task('b'), task('d')), task('e')))).toMatchObject({
      b: undefined,
      d: undefined,
      e: { block: 'm', of: `{% ${ofItem} %}` },
    })
  })

  it('in each round of a loop and in each try anew, and of no step of a loop in it', () => {
    const loop = (inner: string) => `{ name: r, kind: repeat, until: '{% true %}', atMost: 3, steps: [${inner}] }`
    expect(joined(loop(parallel('p', ...tasks(8))))).toMatchObject({
      t0: { block: '{% "p" & " " & $rRound %}', of: 8 },
    })
    const tried = map('m', eight, task('b')).replace('kind: map', 'kind: map, retry: { attempts: 2 }')
    expect(joined(tried)).toMatchObject({ b: { block: '{% "m" & " " & $mTry %}', of: 8 } })
    const around = `{ name: o, kind: parallel, retry: { attempts: 2 }, branches: { a: [${map('m', eight, task('b'))}, ${set('z', '1')}] } }`
    expect(joined(around)).toMatchObject({ b: { block: '{% "m" & " " & $oTry %}', of: 8 } })
    expect(joined(map('m', eight, loop(task('b'))))).toMatchObject({ b: undefined })
  })
})
