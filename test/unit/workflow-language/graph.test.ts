import { expect, it } from 'vitest'
import { toMermaid } from '#shared/workflow-language/graph.ts'
import { validate } from '#shared/workflow-language/validate/validate.ts'

const graphOf = (text: string): string[] => {
  const { definition } = validate(text)
  if (definition === undefined) throw new Error('the definition of the test is not valid')
  return toMermaid(definition)
    .split('\n')
    .map((line) => line.trim())
}

it('draws every way through a workflow, and what undoes a step', () => {
  expect(
    graphOf(`
workflow: w
steps:
  - name: review
    kind: task
    capability: code.review
    catch: [{ errors: [TIMEOUT], steps: [{ name: late, kind: set, value: 1 }] }]
    compensate: [{ name: undone, kind: task, agent: a }]
  - name: gate
    kind: choice
    cases: [{ when: '{% $review.state = "bad" %}', steps: [{ name: stop, kind: fail, error: BAD }] }]
  - { name: both, kind: parallel, branches: { l: [{ name: a, kind: wait, for: 1s }], r: [{ name: b, kind: wait, for: 1s }] } }
`),
  ).toEqual([
    'flowchart TD',
    'start((start))',
    's_review["review: code.review"]',
    'start --> s_review',
    's_late("late")',
    's_review -->|"on TIMEOUT"| s_late',
    's_undone["undone: a"]',
    's_review -. undo .-> s_undone',
    's_gate{"gate: choice"}',
    's_review --> s_gate',
    's_late --> s_gate',
    's_stop(("stop: BAD"))',
    's_gate -->|"$review.state = #quot;bad#quot;"| s_stop',
    's_both["both: parallel"]',
    's_gate --> s_both',
    's_a(["a: wait"])',
    's_both -->|"l"| s_a',
    's_b(["b: wait"])',
    's_both -->|"r"| s_b',
    's_a --> done',
    's_b --> done',
    'done((done))',
    '',
  ])
})
