import { expect, it } from 'vitest'
import { validate } from '#shared/workflow-language/validate/validate.ts'
import { inSteps, whatIsKnown } from './definitions.ts'

it('knows what the items of a map are, and what its list is, when agents say it', () => {
  const issue = { type: 'object', properties: { rule: {}, path: {} }, additionalProperties: false }
  const review = { type: 'object', properties: { issues: { type: 'array', items: issue } } }
  const capabilities = new Map([
    ['code.review', { outputSchema: review }],
    ['code.mend', { outputSchema: { type: 'object', properties: { patch: {} } } }],
  ])
  const mend = (input: string) => `[{ name: mend, kind: task, capability: code.mend, input: { at: '{% ${input} %}' } }]`
  const text = (input: string, more = '') =>
    inSteps(
      '{ name: review, kind: task, capability: code.review }',
      `{ name: mended, kind: map, items: '{% $review.issues %}', as: one, steps: ${mend(input)} }`,
      more || '{ name: last, kind: set, value: 1 }',
    )
  const warned = (definition: string) =>
    validate(definition, whatIsKnown({ capabilities })).problems.map(({ message }) => message)
  expect(warned(text('$one.path'))).toEqual([])
  expect(warned(text('$one.pth'))).toEqual([
    'the result.issues[] of code.review has no pth; it has rule, path; did you mean path?',
  ])
  expect(warned(text('$one.path', "{ name: s, kind: set, value: '{% $mended.patch %}' }"))).toEqual([])
  expect(warned(text('$one.path', "{ name: s, kind: set, value: '{% $mended.ptch %}' }"))).toEqual([
    'the result of code.mend has no ptch; it has patch; did you mean patch?',
  ])
  expect(warned(text('$review.issues.rul'))[0]).toContain('has no rul; it has rule, path')
})

it('warns of workflows that do not exist, wherever a step starts one', () => {
  const text = inSteps(
    '{ name: a, kind: subWorkflow, workflow: relaese }',
    '{ name: b, kind: set, value: 1 }',
    '{ name: c, kind: task, agent: a, compensate: [{ name: d, kind: subWorkflow, workflow: none }] }',
  )
  const known = whatIsKnown({ agents: { a: {} }, workflows: { release: {} } })
  const { problems } = validate(text, known)
  expect(problems).toEqual([
    {
      severity: 'warning',
      code: 'UNKNOWN_WORKFLOW',
      message: 'there is no workflow relaese: the step will fail; did you mean release?',
      pointer: '#/steps/0/workflow',
      line: 3,
      column: 35,
    },
    expect.objectContaining({ pointer: '#/steps/2/compensate/0/workflow', line: 5 }),
  ])
})

it('warns of agents that are not there', () => {
  const text = inSteps(
    '{ name: a, kind: task, agent: here }',
    '{ name: b, kind: vote, voters: [{ agent: gone }, { agent: here }], quorum: 1 }',
  )
  const known = whatIsKnown({ agents: { here: {} } })
  expect(validate(text, known).problems).toEqual([
    {
      severity: 'warning',
      code: 'UNKNOWN_AGENT',
      message: 'there is no agent gone: the step will fail',
      pointer: '#/steps/1/voters/0/agent',
      line: 4,
      column: 39,
    },
  ])
})
