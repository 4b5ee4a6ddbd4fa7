import { afterAll, test } from 'vitest'

/** What an implementation cannot do: the test's name and the reason. */
export type Cannot = Record<string, string>

type Options = {
  /** The tests wait rather than work: all at once. @default false */
  concurrent?: boolean
}

export type ContractTest = (name: string, run: () => Promise<void>, timeoutMs?: number) => void

/**
 * `test` of a contract suite. What an implementation cannot do is skipped aloud, with its reason; a reason that names
 * no test fails, so that the list cannot go stale.
 */
export const contractTest = (cannot: Cannot = {}, { concurrent = false }: Options = {}): ContractTest => {
  const unknown = new Set(Object.keys(cannot))
  afterAll(() => {
    if (unknown.size > 0) throw new Error(`"cannot" names tests that this suite lacks: ${[...unknown].join('; ')}`)
  })
  return (name, run, timeoutMs) => {
    const reason = cannot[name]
    unknown.delete(name)
    if (reason === undefined) {
      test(name, { concurrent, timeout: timeoutMs }, run)
      return
    }
    test(name, (context) => {
      console.info(`cannot: ${name}: ${reason}`)
      context.skip(reason)
    })
  }
}
