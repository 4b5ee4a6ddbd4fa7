import { afterAll, beforeAll, describe } from 'vitest'
import type { Table } from '#shared/platform/platform.ts'
import { type Cannot, type ContractTest, contractTest } from './contract-test.ts'
import { contentionContract } from './table-contention-contract.ts'
import { counterContract } from './table-counter-contract.ts'
import { expiryContract } from './table-expiry-contract.ts'
import { indexContract } from './table-index-contract.ts'
import { queryContract } from './table-query-contract.ts'
import { transactContract } from './table-transact-contract.ts'
import { waitContract } from './table-wait-contract.ts'
import { writeContract } from './table-write-contract.ts'

export type TablesUnderTest = { main: Table; volatile: Table; close: () => Promise<void> }

/** What each part of the suite gets; `table()` is there once the tests run. */
export type TableSuite = { it: ContractTest; table: () => Table; writers: number }

type Options = {
  /** How many write to one key at once. @default 1000 */
  writers?: number
  cannot?: Cannot
}

const parts = [
  writeContract,
  transactContract,
  queryContract,
  indexContract,
  expiryContract,
  counterContract,
  contentionContract,
  waitContract,
]

/** What `Table` promises; both tables of a platform keep it. */
export const tableContract = (
  name: string,
  make: () => Promise<TablesUnderTest>,
  { writers = 1000, cannot }: Options = {},
): void => {
  describe(`table: ${name}`, () => {
    let tables: TablesUnderTest | undefined
    const get = (which: 'main' | 'volatile'): Table => {
      if (tables === undefined) throw new Error('the tables are made before the tests run')
      return tables[which]
    }
    beforeAll(async () => {
      tables = await make()
    })
    afterAll(() => tables?.close())
    for (const which of ['main', 'volatile'] as const)
      describe(which, () => {
        const it = contractTest(cannot)
        for (const part of parts) part({ it, table: () => get(which), writers })
      })
  })
}
