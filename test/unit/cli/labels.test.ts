import { expect, it } from 'vitest'
import { parseLabels } from '#cli/input/task-input.ts'

it('takes labels as key:value or key=value, each key once', () => {
  expect(parseLabels(['a:b:c', 'd=e'])).toEqual({ a: 'b:c', d: 'e' })
  expect(() => parseLabels(['a:b:c', 'a:d'])).toThrow('--label gives a twice; a label has one value')
  expect(() => parseLabels(['a'])).toThrow('--label a is not key:value')
})
