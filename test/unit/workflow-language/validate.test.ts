import { expect, it } from 'vitest'
import { inSteps, problemsOf, task } from './definitions.ts'

it('tells where YAML itself is broken', () => {
  expect(problemsOf('workflow: w\nsteps: [')).toEqual([
    expect.stringMatching(/^error SYNTAX 2:9 # Flow sequence .* end with a \]/),
  ])
  expect(problemsOf('workflow: w\nworkflow: w\nsteps: []')).toContainEqual(expect.stringContaining('SYNTAX 2:1'))
})

it('takes JSON as well, with places', () => {
  expect(problemsOf('{\n  "workflow": "w",\n  "steps": [{"name": "a", "kind": "tsak"}]\n}')).toEqual([
    expect.stringMatching(
      /^error SCHEMA 3:\d+ #\/steps\/0\/kind kind is one of task, .*; not "tsak"; did you mean task\?$/,
    ),
  ])
})

it('names an unknown field, a missing one, and one of a wrong type, and what would be right', () => {
  expect(problemsOf(inSteps('{ name: a, kind: task, capabilty: x.y, agent: b }', '{ name: b, kind: wait }'))).toEqual([
    'error SCHEMA 3:28 #/steps/0/capabilty there is no field capabilty here; did you mean capability?',
    'error SCHEMA 4:5 #/steps/1/for name one of for (a duration) and until (a time)',
  ])
  expect(problemsOf('workflow: w\nsteps: 5')).toEqual(['error SCHEMA 2:1 #/steps expected a list, not 5'])
  expect(problemsOf('workflow: w')).toEqual([expect.stringContaining('#/steps steps is missing; expected a list')])
  expect(problemsOf(inSteps('{ name: a, kind: wait, for: 5 minutes }'))).toEqual([
    'error SCHEMA 3:28 #/steps/0/for expected seconds, or a duration such as 90s, 5m, 2h or 1d, from 1 second to 365 days',
  ])
  expect(problemsOf(inSteps('{ name: a-b, kind: wait, for: 5m }'))[0]).toContain('a letter first')
})

it('finds the place of a mistake inside of an expression', () => {
  expect(problemsOf(inSteps(`{ name: a, kind: set, value: '{% $input.x + %}' }`))).toEqual([
    'error EXPRESSION 3:49 #/steps/0/value not JSONata: Unexpected end of expression',
  ])
  expect(problemsOf(inSteps(`{ name: a, kind: set, value: '{% $upercase($input.x) %}' }`))).toEqual([
    'error DEAD_REFERENCE 3:38 #/steps/0/value there is no function $upercase; did you mean $uppercase?',
  ])
  expect(problemsOf(inSteps(`{ name: a, kind: set, value: 'x {% $input %}' }`))[0]).toContain('EXPRESSION 3:27')
})

it('tells what a variable means that has no value: misspelled, later, or inside of another step', () => {
  const text = inSteps(
    task('review'),
    task('b', `'{% $reviev.x %}'`),
    task('c', `'{% $last %}'`),
    `{ name: both, kind: parallel, branches: { left: [${task('inner')}] } }`,
    task('last', `'{% $inner %}'`),
    task('wrong', `'{% $states.result %}'`),
  )
  expect(problemsOf(text)).toEqual([
    expect.stringContaining('4:49 #/steps/1/input nothing is named reviev; did you mean $review?'),
    expect.stringContaining('#/steps/2/input last comes later, or not on this way: $last has no value here'),
    expect.stringContaining(
      '#/steps/4/input inner is a step inside of another, and not seen here; its results are in $both.left',
    ),
    expect.stringContaining('#/steps/5/input $states.result is known in output and ballot alone'),
  ])
})

it('knows what expressions bind themselves, and what a branch, a loop and a catch bring', () => {
  expect(
    problemsOf(
      inSteps(
        `{ name: a, kind: set, value: '{% ($x := 1; $map([1], function($v, $i) { $v + $x + $i })) %}' }`,
        `{ name: m, kind: map, items: [1], as: one, steps: [${task('s', `'{% [$one, $index, $a, $run.id] %}'`)}] }`,
        `{ name: r, kind: repeat, until: '{% $t.ok or $rRound > 1 %}', atMost: 2, steps: [${task('t', `'{% $t %}'`)}] }`,
        `{ name: c, kind: task, agent: a, output: '{% $states.result.x %}', catch: [{ steps: [${task('d', `'{% $cError.cause %}'`)}] }] }`,
        task('e', `'{% [$d, $t, $c] %}'`),
      ),
    ),
  ).toEqual([])
})

it('knows only what a step answered where it is undone', () => {
  const undo = (input: string) => inSteps(`{ name: a, kind: task, agent: x, compensate: [${task('u', input)}] }`)
  expect(problemsOf(undo(`'{% [$output, $error.cause, $input, $a] %}'`))).toEqual([])
  expect(problemsOf(undo(`'{% $aError %}'`))[0]).toContain('DEAD_REFERENCE')
})

it('finds steps that nothing comes to', () => {
  const fail = '{ name: f, kind: fail, error: X }'
  expect(problemsOf(inSteps(fail, task('a')))).toEqual([
    'error UNREACHABLE 4:5 #/steps/1 a never runs: f ends what is before it',
  ])
  const choice = (when: string, rest: string) =>
    `{ name: c, kind: choice, cases: [{ when: '{% ${when} %}', steps: [${fail}] }], otherwise: [${rest}] }`
  expect(problemsOf(inSteps(choice('$input.x', '{ name: g, kind: fail, error: Y }'), task('a')))[0]).toContain(
    'a never runs',
  )
  expect(problemsOf(inSteps(choice('$input.x', task('g')), task('a')))).toEqual([])
  expect(problemsOf(inSteps(choice('true', task('g'))))[0]).toContain('#/steps/0/otherwise case 1 is always true')
  expect(problemsOf(inSteps(choice('false', task('g'))))[0]).toContain('this is never true')
})

it('finds loops that nothing ends', () => {
  const loop = (until: string) =>
    inSteps(`{ name: r, kind: repeat, until: '{% ${until} %}', atMost: 9, steps: [${task('t')}] }`)
  expect(problemsOf(loop('false'))).toEqual([
    expect.stringMatching(/^warning ENDLESS .* until is never true: it repeats 9/),
  ])
  expect(problemsOf(loop('$input.x > 3'))[0]).toContain('until looks at nothing that its steps change')
  expect(problemsOf(loop('$t.x > 3'))).toEqual([])
  expect(problemsOf(inSteps('{ name: again, kind: subWorkflow, workflow: w }'))[0]).toContain('error ENDLESS')
})

it('refuses a name twice, one that means something else, and nested items of one name', () => {
  expect(problemsOf(inSteps(task('a'), task('a')))).toEqual([
    expect.stringContaining('DUPLICATE_NAME 4:7 #/steps/1/name a is the name of steps[0] already'),
  ])
  expect(problemsOf(inSteps(task('input')))[0]).toContain('RESERVED_NAME')
  expect(problemsOf(inSteps(task('count')))[0]).toContain('$count is a function of JSONata')
  const nested = `{ name: m, kind: map, items: [1], steps: [{ name: n, kind: map, items: [1], steps: [${task('t')}] }] }`
  expect(problemsOf(inSteps(nested))).toEqual([])
})

it('refuses what only means something elsewhere', () => {
  const distributed = (inner: string) =>
    inSteps(`{ name: m, kind: map, distributed: true, items: [1], steps: [${inner}] }`)
  expect(problemsOf(distributed(task('t', `'{% [$item, $index] %}'`)))).toEqual([])
  expect(problemsOf(distributed('{ name: s, kind: set, value: 1 }'))[0]).toContain('a distributed map has one task')
  expect(
    problemsOf(inSteps(`{ name: a, kind: task, agent: x, compensate: [{ name: s, kind: set, value: 1 }] }`))[0],
  ).toContain('a set cannot undo anything')
})

it('wants one recipient of a message, and its type where somebody handles it', () => {
  expect(
    problemsOf(
      inSteps(
        '{ name: a, kind: message, body: 1 }',
        '{ name: b, kind: message, to: { agent: x, queue: y }, type: t }',
        '{ name: c, kind: message, to: { agent: x } }',
        '{ name: d, kind: request, to: { queue: x }, type: t }',
        '{ name: e, kind: request, to: { agent: x } }',
        "{ name: f, kind: state, key: 'a b' }",
      ),
    ),
  ).toEqual([
    'error SCHEMA 3:5 #/steps/0/topic name one of topic and to (an agent, a capability or a queue)',
    'error SCHEMA 4:31 #/steps/1/to name one of agent, capability and queue',
    'error SCHEMA 5:5 #/steps/2/type what goes to somebody has a type, which its handler is known by: build.finished',
    'error SCHEMA 6:31 #/steps/3/to name one of agent and capability',
    'error SCHEMA 6:37 #/steps/3/to/queue there is no field queue here',
    'error SCHEMA 7:5 #/steps/4/type type is missing; expected a string',
    expect.stringContaining('#/steps/5/key expected a key of letters, digits, ".", "-" and "_"'),
  ])
  expect(problemsOf(inSteps('{ name: a, kind: request, to: { agent: x }, type: t, timeout: 8d }'))).toEqual([
    expect.stringContaining('#/steps/0/timeout a request is worth something for 7 days at most'),
  ])
})

it('keeps the variable by which the steps of a race know theirs for itself', () => {
  const race = '{ name: a, kind: race, branches: { b: [{ name: c, kind: set, value: 1 }] } }'
  expect(problemsOf(inSteps(race, '{ name: aBlock, kind: set, value: 1 }'))).toEqual([
    expect.stringContaining('DUPLICATE_NAME 4:7 #/steps/1/name aBlock is the name of'),
  ])
})

it('takes every error in the last rule alone', () => {
  const all = '{ errors: [States.ALL, TIMEOUT], steps: [] }'
  expect(problemsOf(inSteps(`{ name: a, kind: task, agent: b, retry: [{}, {}], catch: [${all}] }`))).toEqual([
    'error UNREACHABLE 3:50 #/steps/0/retry/1 the rule before takes every error; put it last',
    'error NOT_HERE 3:65 #/steps/0/catch/0/errors States.ALL is every error: it stands alone',
  ])
  const twice = '[{ errors: [A, B], steps: [] }, { errors: [B, C], steps: [] }, { errors: [C, A], steps: [] }]'
  expect(problemsOf(inSteps(`{ name: a, kind: task, agent: b, catch: ${twice} }`))).toEqual([
    'error UNREACHABLE 3:108 #/steps/0/catch/2 rules before it take C, A',
  ])
  const last = '[{ errors: [TIMEOUT], steps: [] }, { steps: [] }]'
  expect(problemsOf(inSteps(`{ name: a, kind: task, agent: b, retry: {}, catch: ${last} }`))).toEqual([])
})

it('takes an escalation before the end of an approval, and a first pause within the longest', () => {
  const approval = (more: string) =>
    inSteps(`{ name: a, kind: approval, prompt: ok, escalate: { after: 2h, to: [boss] }${more} }`)
  expect(problemsOf(approval(''))).toEqual([])
  expect(problemsOf(approval(', timeout: 2h'))).toEqual([
    'error NOT_HERE 3:56 #/steps/0/escalate/after it would have ended before: its timeout is 7200 s',
  ])
  const pauses = 'retry: { initialSeconds: 9, maxSeconds: 3 }'
  expect(problemsOf(inSteps(`{ name: a, kind: task, agent: b, ${pauses} }`))).toEqual([
    expect.stringContaining('#/steps/0/retry/initialSeconds expected at most maxSeconds'),
  ])
  expect(problemsOf(inSteps("{ name: a, kind: approval, prompt: ok, people: [' '] }"))).toEqual([
    expect.stringContaining('#/steps/0/people/0 expected a name, which is more than white space'),
  ])
})

it('takes lines of an object for a distributed map alone, whose task has no input of its own', () => {
  const map = (more: string, step = '{ name: s, kind: task, agent: a }') =>
    inSteps(`{ name: m, kind: map, ${more}, steps: [${step}] }`)
  expect(problemsOf(map("distributed: true, itemsFrom: '{% $input %}'"))).toEqual([])
  expect(problemsOf(map("itemsFrom: '{% $input %}'"))[0]).toContain('add distributed: true')
  expect(problemsOf(map("distributed: true, itemsFrom: '{% $input %}'", task('s', '1')))[0]).toContain(
    '#/steps/0/steps/0/input its input is the line of the object',
  )
  expect(problemsOf(map("items: [1], itemsFrom: '{% $input %}'"))[0]).toContain('name one of items')
  expect(problemsOf(map('concurrency: 2'))[0]).toContain('name one of items')
})

it('reads patterns of events before a run waits for them, and knows a quorum that nobody can reach', () => {
  const waits = (pattern: string) =>
    problemsOf(inSteps(`{ name: a, kind: waitForEvent, topic: t, pattern: ${pattern} }`))
  expect(waits('{ type: x }')[0]).toContain('#/steps/0/pattern/type')
  expect(waits('{ data: { n: [{ numeric: [">", 5, "<", 1] }] } }')[0]).toContain('#/steps/0/pattern/data/n/0')
  expect(waits('{ type: [x], subject: "{% $input.s %}" }')).toEqual([])
  const asked = (more: string) => problemsOf(inSteps(`{ name: a, kind: approval, prompt: p, quorum: 2, ${more} }`))
  expect(asked('people: [ann]')[0]).toContain('#/steps/0/quorum more than there are people')
  expect(asked('people: [ann], escalate: { after: 1h, to: [bob] }')).toEqual([])
  expect(asked('groups: [all]')).toEqual([])
})

it.each([
  ['{ type: strin }', '2:10 #/input/type no JSON Schema: must be equal to one of the allowed values: array, boolean,'],
  ['{ properties: { n: { minimum: x } } }', '2:29 #/input/properties/n/minimum no JSON Schema: must be number'],
  ['{ $ref: "https://elsewhere.example/a" }', "2:10 #/input/$ref the schema cannot be used: can't resolve reference"],
  ['{ properties: { n: { pattern: "(" } } }', '2:29 #/input/properties/n/pattern the schema cannot be used: Invalid'],
  ['{ properties: 5 }', '2:10 #/input/properties no JSON Schema: must be object'],
])('finds what is no JSON Schema in the input %s', (input, expected) => {
  const problems = problemsOf(`workflow: w\ninput: ${input}\nsteps: [${task('a')}]`)
  expect(problems).toEqual([expect.stringContaining(`error SCHEMA ${expected}`)])
})

it.each([
  ['{ name: a, kind: set, value: .nan }', '3:27 #/steps/0/value JSON has no number NaN'],
  ['{ name: a, kind: set, value: [1, -.inf] }', '3:38 #/steps/0/value/1 JSON has no number -Infinity'],
  ['{ name: a, kind: set, value: !!binary aGk= }', '3:27 #/steps/0/value expected what JSON has'],
  [
    '{ name: a, kind: set, value: { __proto__: 1 } }',
    '3:36 #/steps/0/value/__proto__ a field must not be named __proto__',
  ],
  [
    '{ name: a, kind: task, agent: b, retry: { attempts: 0 } }',
    '3:47 #/steps/0/retry/attempts expected at least 1, not 0',
  ],
  ['{ name: a, kind: task, agent: b, retry: [] }', '3:38 #/steps/0/retry expected at least 1 item, not 0'],
  ['{ name: a, kind: vote, voters: [], quorum: 1 }', '3:28 #/steps/0/voters expected at least 1 item, not 0'],
])('refuses what no definition has: %s', (step, expected) => {
  expect(problemsOf(inSteps(step))[0]).toContain(`error SCHEMA ${expected}`)
})

it('finds the place of names and tags of YAML that mean nothing, and of a name that a machine has', () => {
  expect(problemsOf(inSteps('{ name: a, kind: set, value: *none }'))).toEqual([
    'error SYNTAX 3:34 # nothing before it is named &none',
  ])
  expect(problemsOf('workflow: !!js/function w\nsteps: [1]')[0]).toMatch(/^error SYNTAX 1:11 # Unresolved tag/)
  expect(problemsOf(`workflow: w.undo\nsteps: [${task('a')}]`)).toEqual([
    'error SCHEMA 1:1 #/workflow names that end in .undo are those of machines that undo',
  ])
})

it('refuses whole numbers that would lose digits by their place, as YAML and as JSON', () => {
  const [large, most] = ['123456789012345678901234567890', '9007199254740991']
  const told = (given: string) => `a whole number beyond ${most} loses digits (it is ${given}): write it as text`
  const wrong = `{ name: a, kind: set, value: { id: [1, ${large}] } }`
  expect(problemsOf(inSteps(wrong, `{ name: b, kind: set, value: -9007199254740993 }`))).toEqual([
    `error SCHEMA 3:44 #/steps/0/value/id/1 ${told('1.2345678901234568e+29')}`,
    `error SCHEMA 4:27 #/steps/1/value ${told('-9007199254740992')}`,
  ])
  expect(problemsOf(`{"workflow": "w", "steps": [{"name": "a", "kind": "set", "value": ${large}}]}`)).toHaveLength(1)
  const fine = inSteps(`{ name: a, kind: set, value: [${most}, "${large}", 0.1234567890123456789] }`)
  expect(problemsOf(`input: { type: integer, maximum: 9223372036854775807 }\n${fine}`)).toEqual([])
})

it.each([
  ['brackets', `${'('.repeat(1000)}1${')'.repeat(1000)}`],
  ['a long sum', Array.from({ length: 1500 }, () => 1).join('+')],
  ['both', `${'('.repeat(900)}1${')'.repeat(900)}+${Array.from({ length: 900 }, () => 1).join('+')}`],
])('refuses an expression whose parts are too deep inside of each other: %s', (_, code) => {
  const [only, ...more] = problemsOf(inSteps(`{ name: a, kind: set, value: '{% ${code} %}' }`))
  expect(only).toMatch(/^error EXPRESSION 3:\d+ #\/steps\/0\/value not JSONata: /)
  expect(more).toEqual([])
})
