import type { Table } from '../platform/platform.ts'

/** A map of the entries that were used last. */
class RecentMap<V> extends Map<string, V> {
  readonly #most: number

  constructor(most: number) {
    super()
    this.#most = most
  }

  override get(key: string): V | undefined {
    const value = super.get(key)
    if (value !== undefined) this.set(key, value)
    return value
  }

  override set(key: string, value: V): this {
    super.delete(key)
    super.set(key, value)
    const [oldest] = this.size > this.#most ? this.keys() : []
    if (oldest !== undefined) super.delete(oldest)
    return this
  }
}

const ofTable = <M>(create: () => M): ((table: Table) => M) => {
  const memories = new WeakMap<Table, M>()
  return (table) => {
    const memory = memories.get(table) ?? create()
    memories.set(table, memory)
    return memory
  }
}

/** What a process remembers of a table and may lose: hints that spare work, never the truth. */
export const processMemory = <V>(most = 10_000): ((table: Table) => Map<string, V>) =>
  ofTable(() => new RecentMap<V>(most))

/** What calls that are under way in this process share of a table; whoever adds something removes it. */
export const processShared = <V>(): ((table: Table) => Map<string, V>) => ofTable(() => new Map<string, V>())
