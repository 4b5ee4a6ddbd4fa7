import type { Outcome, Table, Write } from '../platform/platform.ts'

/** All or nothing, however few they are: a transaction has two writes or more. */
export const writeAll = (
  main: Pick<Table, 'write' | 'transact'>,
  [first, ...rest]: [Write, ...Write[]],
): Promise<Outcome> => (rest.length === 0 ? main.write(first) : main.transact([first, ...rest]))
