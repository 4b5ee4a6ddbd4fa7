import { expect, it } from 'vitest'
import { DomainError, invalid, sentenceOfRefusal } from '#shared/domain/domain-error.ts'

const field = (pointer: string, message: string) => ({ pointer, code: 'INVALID', message })

it.each([
  [new DomainError('CONFLICT', 'it is over'), 'it is over'],
  [invalid('#/to', 'RECIPIENT', 'it goes to agents'), '#/to: it goes to agents'],
  [
    new DomainError('INVALID', '#/a: too long', [field('#/a', 'too long'), field('#/b', 'too short')]),
    '#/a: too long; #/b: too short',
  ],
  [
    new DomainError('INVALID', 'the input does not fit', [field('#/a', 'too long'), field('#/b', 'too short')]),
    'the input does not fit: #/a: too long; #/b: too short',
  ],
  [
    new DomainError('INVALID', 'it cannot run: no steps', [field('#/steps', 'no steps'), field('#/x', 'odd')]),
    'it cannot run: no steps: #/x: odd',
  ],
])('a refusal says nothing twice: %s', (error, sentence) => {
  expect(sentenceOfRefusal(error)).toBe(sentence)
})
