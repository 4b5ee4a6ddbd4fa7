import { expect, it } from 'vitest'
import { inSteps, problemsOf, task, whatIsKnown } from './definitions.ts'

const start = (workflow: string, version?: string) => ({ workflow, ...(version && { version }) })
const known = whatIsKnown({
  agents: { a: {}, clerk: { 'price.tell': {} } },
  queues: ['letters'],
  workflows: {
    plain: { '': { starts: [] }, live: { starts: [] } },
    back: { '': { starts: [start('further', '2')] } },
    further: { '2': { starts: [start('plain'), start('w')] } },
    circle: { '': { starts: [start('circle')] } },
  },
})
const warnings = (...steps: string[]) => problemsOf(inSteps(...steps), known)

it('warns of whom messages and requests are for, when nobody is there', () => {
  const to = (kind: string, recipient: string) => `{ name: s, kind: ${kind}, type: t, to: { ${recipient} } }`
  expect(warnings(to('message', 'agent: nope'))).toEqual([
    'warning UNKNOWN_AGENT 3:46 #/steps/0/to/agent there is no agent nope: the step will fail',
  ])
  expect(warnings(to('request', 'capability: price.tel'))).toEqual([
    'warning UNKNOWN_CAPABILITY 3:46 #/steps/0/to/capability nobody offers price.tel: the step will fail; did you mean price.tell?',
  ])
  expect(warnings(to('message', 'queue: nope'))).toEqual([
    'warning UNKNOWN_QUEUE 3:46 #/steps/0/to/queue there is no queue nope: the step will fail',
  ])
  for (const there of ['agent: clerk', 'capability: price.tell', "agent: '{% $input %}'"])
    expect(warnings(to('request', there))).toEqual([])
  expect(warnings(to('message', 'queue: letters'), "{ name: t, kind: task, agent: '{% $input %}' }")).toEqual([])
})

it('warns of a version of a workflow that there is not', () => {
  const sub = (version: string) => `{ name: s, kind: subWorkflow, workflow: plain, version: ${version} }`
  expect(warnings(sub("'99'"))).toEqual([
    'warning UNKNOWN_VERSION 3:52 #/steps/0/version workflow plain has no version or alias 99: the step will fail; it has live',
  ])
  for (const there of ['live', "'{% $input %}'"]) expect(warnings(sub(there))).toEqual([])
  expect(
    warnings(
      "{ name: c, kind: choice, cases: [{ when: '{% $input %}', steps: [{ name: s, kind: subWorkflow, workflow: w, version: new }] }] }",
    ),
  ).toEqual([])
})

it('warns of workflows that start each other on every way', () => {
  const back = '{ name: s, kind: subWorkflow, workflow: back }'
  expect(warnings(back)).toEqual([
    'warning ENDLESS 3:35 #/steps/0/workflow w starts back starts further starts w on every way; put one of them into a case of a choice',
  ])
  const choice = `{ name: c, kind: choice, cases: [{ when: '{% $input %}', steps: [${back}] }], otherwise: [${task('t')}] }`
  expect(warnings(choice)).toEqual([])
  expect(warnings('{ name: s, kind: subWorkflow, workflow: circle }')).toEqual([])
})

it('warns of no field that an object with others, or the answer of a whole batch, may have', () => {
  const outputSchema = { type: 'object', properties: { a: {} }, additionalProperties: { type: 'string' } }
  const offers = whatIsKnown({ capabilities: new Map([['x.y', { outputSchema }]]) })
  const map =
    "{ name: m, kind: map, distributed: true, itemsFrom: '{% $input %}', steps: [{ name: x, kind: task, capability: x.y }] }"
  const seen = "{ name: s, kind: set, value: ['{% $m.total %}', '{% $t.other %}'] }"
  expect(problemsOf(inSteps('{ name: t, kind: task, capability: x.y }', map, seen), offers)).toEqual([])
})

it('knows the items of a list that is in each of a list', () => {
  const issue = { type: 'object', properties: { rule: {} } }
  const outputSchema = { type: 'object', properties: { issues: { type: 'array', items: issue } } }
  const offers = whatIsKnown({ capabilities: new Map([['x.y', { outputSchema }]]) })
  const reviews = '{ name: m, kind: map, items: [1, 2], steps: [{ name: x, kind: task, capability: x.y }] }'
  const all = `{ name: n, kind: map, items: '{% $m.issues %}', steps: [{ name: s, kind: set, value: '{% $item.rul %}' }] }`
  expect(problemsOf(inSteps(reviews, all), offers)).toEqual([
    expect.stringContaining('the result.issues[] of x.y has no rul; it has rule'),
  ])
})
