import { expect, it } from 'vitest'
import { inSteps, problemsOf } from './definitions.ts'

it.each([
  [
    'a second document',
    `${inSteps('{ name: a, kind: set, value: 1 }')}---\nworkflow: y\n`,
    '4:1 # a second document begins here; a definition is one',
  ],
  [
    'a merge key',
    inSteps('&b { name: a, kind: set, value: 1 }', '{ <<: *b, name: c }'),
    '4:7 # merge keys (<<) are not taken; write the fields out',
  ],
  [
    'aliases of aliases',
    `a: &a [${'x,'.repeat(11)}]\nb: &b [${'*a,'.repeat(11)}]\nc: &c [${'*b,'.repeat(11)}]\nd: *c\n`,
    '4:4 # an alias here, with those in it, is used more than 100 times; write it out',
  ],
])('says in words of its own where %s is', (_, text, expected) => {
  expect(problemsOf(text)).toEqual([`error SYNTAX ${expected}`])
})

it('takes a text like a merge key, and shows a time where one is wanted', () => {
  expect(problemsOf(inSteps(`{ name: a, kind: set, value: { '<<': 1 } }`))).toEqual([])
  expect(problemsOf(inSteps('{ name: a, kind: wait, until: 2026-02-30T00:00:00Z }'))).toEqual([
    'error SCHEMA 3:28 #/steps/0/until expected a time such as 2026-12-31T09:00:00Z, or an expression for one',
  ])
})
