import type { Table } from '../../platform/platform.ts'

/** What a process remembers of a table and may lose: hints that spare work, never the truth. */
export const processMemory = <V>(most = 10_000): ((table: Table) => Map<string, V>) => {
  const memories = new WeakMap<Table, Map<string, V>>()
  return (table) => {
    const memory = memories.get(table) ?? new Map<string, V>()
    if (memory.size >= most) memory.clear()
    memories.set(table, memory)
    return memory
  }
}
