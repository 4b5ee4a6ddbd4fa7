import { describe, expect, it } from 'vitest'
import { inSteps, problemsOf, task } from './definitions.ts'

const codesOf = (...steps: string[]) =>
  problemsOf(inSteps(...steps)).map((problem) => problem.split(' ').slice(1, 4).join(' '))
const wrong = '{ name: a, kind: tsk }'

describe('a step that is none', () => {
  it('hides nothing of what is wrong with the others', () => {
    expect(
      codesOf(
        wrong,
        "{ name: b, kind: task, capability: nobody.x, input: '{% $zz %}' }",
        "{ name: b, kind: set, value: '{% 1 + %}' }",
        '{ name: f, kind: fail, error: X }',
        '{ name: g, kind: set, value: .nan }',
      ),
    ).toEqual([
      'SCHEMA 3:16 #/steps/0/kind',
      'DEAD_REFERENCE 4:61 #/steps/1/input',
      'DUPLICATE_NAME 5:7 #/steps/2/name',
      'EXPRESSION 5:42 #/steps/2/value',
      'UNREACHABLE 7:5 #/steps/4',
      'SCHEMA 7:27 #/steps/4/value',
    ])
  })

  it.each([
    ['its output', wrong, task('b', `'{% $a %}'`)],
    [
      'that of one inside of it',
      `{ name: r, kind: repeat, until: 5, atMost: 2, steps: [${task('s')}] }`,
      task('b', `'{% [$s, $rRound, $r] %}'`),
    ],
    ['a name that is none', '{ name: a-b, kind: set, value: 1 }', task('c', `'{% $a-b %}'`)],
    ['a name in a field that is none', '{ nmae: a, kind: set, value: 1 }', task('b', `'{% $a %}'`)],
    [
      'an item of a distributed map',
      `{ name: m, kind: map, distributed: true, items: [1], steps: [${wrong}] }`,
      task('b', `'{% $m %}'`),
    ],
    ['what undoes', `{ name: x, kind: task, agent: a, compensate: [${wrong}] }`, task('b')],
    [
      'a block of its own',
      `{ name: p, kind: parallel, branches: { l: [${wrong}], r: [${task('s')}] } }`,
      task('b', `'{% $p.l %}'`),
    ],
    ['no step at all', '5', task('b')],
    [
      'one that repeats too long',
      `{ name: p, kind: parallel, branches: { l: [{ name: r, kind: repeat, until: '{% $a.x %}', atMost: 9000, steps: [${wrong}] }] } }`,
      task('b'),
    ],
  ])('makes nothing else wrong: %s', (_, step, next) => {
    const found = codesOf(step, next)
    expect(found.length).toBeGreaterThan(0)
    expect(found.filter((one) => !one.startsWith('SCHEMA 3:'))).toEqual([])
  })

  it('is left out with all that is in it, and the steps around it are looked at', () => {
    const inner = `{ name: c, kind: choice, cases: [{ steps: [${wrong}] }] }`
    expect(codesOf(`{ name: p, kind: parallel, branches: { l: [${inner}, ${task('s', `'{% $zz %}'`)}] } }`)).toEqual([
      expect.stringContaining('#/steps/0/branches/l/0/cases/0'),
      expect.stringContaining('#/steps/0/branches/l/0/cases/0/steps/0/kind'),
      expect.stringContaining('DEAD_REFERENCE'),
    ])
  })

  it('is told with what is wrong with the expressions in it, and with those of the steps inside of it', () => {
    expect(
      codesOf(
        "{ name: a, kind: task, capablity: x, description: 'not {% one', input: { p: '{% 1 + %}', q: 'at {% $input %}' } }",
        `{ name: p, kind: parallel, timout: 5, branches: { l: [${task('s', `'{% $zz + $pError %}'`)}], r: [${task('t', "'{% $rnud(1) %}'")}] } }`,
      ),
    ).toEqual([
      'SCHEMA 3:5 #/steps/0/capability',
      'SCHEMA 3:28 #/steps/0/capablity',
      expect.stringMatching(/^EXPRESSION 3:\d+ #\/steps\/0\/input\/p/),
      expect.stringMatching(/^EXPRESSION 3:\d+ #\/steps\/0\/input\/q/),
      'SCHEMA 4:32 #/steps/1/timout',
      expect.stringMatching(/^DEAD_REFERENCE 4:\d+ #\/steps\/1\/branches\/l\/0\/input/),
      expect.stringMatching(/^DEAD_REFERENCE 4:\d+ #\/steps\/1\/branches\/r\/0\/input/),
    ])
    const around = "workflow: w\ninput: { pattern: '{% x' }\nsteps: {}\noutput: '{% $run.id + %}'"
    expect(problemsOf(around).map((one) => one.split(' ').slice(1, 4).join(' '))).toEqual([
      'SCHEMA 3:1 #/steps',
      expect.stringMatching(/^EXPRESSION 4:\d+ #\/output/),
    ])
  })

  it('is told with what is wrong around the steps', () => {
    const text = `workflow: a b\ninput: 5\nsteps: [${wrong}, ${task('b', `'{% $zz %}'`)}]\ntimout: 5\noutput: '{% $yy %}'\n`
    expect(problemsOf(text).map((one) => one.split(' ')[3])).toEqual([
      '#/workflow',
      '#/input',
      '#/steps/0/kind',
      '#/steps/1/input',
      '#/timout',
      '#/output',
    ])
    expect(problemsOf('workflow: w\nsteps: 5')).toHaveLength(1)
    expect(problemsOf('5')).toHaveLength(1)
  })
})

it('says what a branch may be named', () => {
  expect(problemsOf(inSteps(`{ name: p, kind: parallel, branches: { 'x y': [${task('a')}] } }`))).toEqual([
    'error SCHEMA 3:44 #/steps/0/branches/x y "x y" is no name here: use letters, digits and "_", a letter first: its output is the variable $name',
  ])
})
