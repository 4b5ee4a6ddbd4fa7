import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import type { Schema } from '#shared/workflow-language/validate/known.ts'
import { inSteps, problemsOf, whatIsKnown } from './definitions.ts'

const schemaOf = (type: z.ZodType, io: 'input' | 'output'): Schema => z.toJSONSchema(type, { io })
const offer = (input: z.ZodType, output: z.ZodType) => ({
  inputSchema: schemaOf(input, 'input'),
  outputSchema: schemaOf(output, 'output'),
})
const text = z.object({ text: z.string() })
const desk = {
  'text.draft': offer(z.object({ topic: z.string(), critique: z.string().nullish() }), text),
  'text.judge': offer(
    text,
    z.object({ verdict: z.enum(['good', 'bad']), critique: z.string(), marks: z.array(z.int()) }),
  ),
  'text.grade': offer(z.strictObject({ of: z.number().max(9), by: z.enum(['ann', 'bob']) }), z.any()),
}
const known = whatIsKnown({
  agents: { desk, clerk: { 'price.tell': offer(z.object({ of: z.string() }), z.any()) } },
  workflows: { article: { '': { input: { type: 'object', required: ['topic'] }, starts: [] } } },
})
const judged = '{ name: a, kind: task, capability: text.judge, input: { text: x } }'
const warnings = (...steps: string[]) => problemsOf(inSteps(...steps), known)
const afterJudged = (step: string) => warnings(judged, `{ name: b, kind: task, ${step} }`)

describe('an input that certainly does not fit is warned of', () => {
  it.each([
    [
      'a result without what is needed',
      "capability: text.draft, input: '{% $a %}'",
      'input text.draft needs topic in its input',
    ],
    [
      'fields for a text',
      "capability: text.judge, input: { text: '{% $a %}' }",
      'input/text text.judge takes a text as its input.text, not fields',
    ],
    [
      'a part of a result that is of another type',
      "capability: text.judge, input: { text: '{% $a.marks %}' }",
      'input/text text.judge takes a text as its input.text, not a list',
    ],
    [
      'a number for a text',
      'capability: text.judge, input: { text: 5 }',
      'input/text text.judge takes a text as its input.text, not a number',
    ],
    ['none', 'capability: text.judge', ' text.judge takes fields as its input, not nothing'],
    [
      'what the schema of a value forbids',
      'capability: text.grade, input: { of: 10, by: ann }',
      'input/of text.grade does not take this: input.of must be <= 9',
    ],
    [
      'a value of others',
      "capability: text.grade, input: { of: '{% $a %}', by: eve }",
      'input/of text.grade takes a number',
    ],
    [
      'a field that is not taken',
      "capability: text.grade, input: { of: '{% $run.n %}', bye: ann, by: bob }",
      'input/bye text.grade takes no bye; did you mean by?',
    ],
    ['what the one agent does not take', 'agent: clerk, input: { off: tea }', 'input price.tell needs of in its input'],
  ])('%s', (_, step, expected) => {
    const [found] = afterJudged(step)
    expect(found).toMatch(/^warning SCHEMA_MISMATCH 4:/)
    expect(found).toContain(`#/steps/1/${expected}`.replace('/ ', '/input '))
  })

  it('of a sub-workflow', () => {
    expect(warnings('{ name: a, kind: subWorkflow, workflow: article, input: { topc: tea } }')).toEqual([
      'warning SCHEMA_MISMATCH 3:54 #/steps/0/input workflow article needs topic in its input',
    ])
    expect(warnings("{ name: a, kind: subWorkflow, workflow: article, input: { topic: '{% $input %}' } }")).toEqual([])
  })

  it('of a voter, in a block, and of the items of a distributed map', () => {
    const vote = '{ name: v, kind: vote, quorum: 1, voters: [{ capability: text.judge, input: [] }] }'
    const map = `{ name: m, kind: map, distributed: true, items: '{% $a.marks %}', steps: [{ name: s, kind: task, capability: text.judge }] }`
    expect(warnings(judged, `{ name: p, kind: parallel, branches: { left: [${vote}] } }`, map)).toEqual([
      expect.stringContaining(
        '#/steps/1/branches/left/0/voters/0/input text.judge takes fields as its input, not a list',
      ),
      expect.stringContaining('#/steps/2/steps/0/input text.judge takes fields as its input, not a number'),
    ])
  })

  it('an agent that does not offer the capability', () => {
    expect(warnings('{ name: a, kind: task, agent: desk, capability: price.tell, input: 1 }')).toEqual([
      'warning UNKNOWN_CAPABILITY 3:41 #/steps/0/capability agent desk does not offer price.tell: the step will fail; it offers text.draft, text.judge, text.grade',
    ])
  })
})

describe('an input that may fit is not', () => {
  it.each([
    "capability: text.judge, input: { text: '{% $a.critique %}' }",
    "capability: text.judge, input: { text: '{% $a.verdict %}' }",
    "capability: text.draft, input: { topic: x, critique: '{% $a.critique %}' }",
    "capability: text.draft, input: { topic: '{% $a.marks[0] %}', critique: null }",
    'capability: text.judge, input: \'{% $merge([$a, {"text": "x"}]) %}\'',
    "capability: text.judge, input: '{% $input %}'",
    'capability: text.judge, input: { $ref: obj_01ARZ3NDEKTSV4RRFFQ69G5FAV }',
    "capability: text.grade, input: { of: '{% $a.marks %}', by: ann }, agent: nobody",
    'agent: desk, input: 5',
  ])('%s', (step) => {
    const found = afterJudged(step).filter((one) => !one.includes('UNKNOWN_AGENT'))
    expect(found).toEqual([])
  })
})
