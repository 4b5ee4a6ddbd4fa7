import { expect, it } from 'vitest'
import { requireDocumented } from '#test/support/documented.ts'

it('what a contract does not say is noticed', () => {
  const answered = (status: number, code?: string) => () =>
    requireDocumented('POST', '/tasks/tsk_1/complete?x=1', status, { code })
  expect(answered(200)).not.toThrow()
  expect(answered(409, 'STALE_FENCE')).not.toThrow()
  expect(answered(409, 'NAME_TAKEN')).toThrow('completeTask answered 409 NAME_TAKEN')
  expect(answered(201)).toThrow('completeTask answered 201')
})
