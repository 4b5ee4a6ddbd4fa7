import { afterEach, expect, it, vi } from 'vitest'
import { printFields } from '#cli/render/print.ts'

const written = vi.spyOn(process.stdout, 'write').mockImplementation(() => true)
afterEach(() => written.mockClear())

it('prints names and values below each other, and nothing of what is not known', () => {
  printFields([
    ['state', 'FAILED'],
    ['cause', 'one\ntwo'],
    ['error', undefined],
  ])
  expect(written.mock.calls.map(([text]) => text)).toEqual(['state  FAILED\n', 'cause  one\n       two\n'])
})

it('prints nothing when nothing is known', () => {
  printFields([['error', undefined]])
  printFields([])
  expect(written).not.toHaveBeenCalled()
})
