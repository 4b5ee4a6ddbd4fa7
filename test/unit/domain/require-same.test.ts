import { expect, it } from 'vitest'
import { makeKey } from '#shared/domain/made-key.ts'
import { requireKept, requireSame } from '#shared/domain/require-same.ts'

it.each(['once', makeKey('retry', 'tsk_1', 'once'), makeKey('several', '3', 'once')])(
  'a conflict under the key %j names the one that was sent',
  (key) => {
    const said = 'the idempotency key once was used for task tsk_2'
    expect(() => requireSame('task tsk_2', key, { before: 'a', now: 'b' })).toThrow(said)
    expect(() => requireKept('task tsk_2', key, true)).toThrow(said)
  },
)
