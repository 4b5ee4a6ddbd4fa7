import { join } from 'node:path'
import { openDatabase } from '#shared/platform/embedded/sqlite-schema.ts'
import { createSqliteTable } from '#shared/platform/embedded/sqlite-table.ts'
import { startWriter } from '#shared/platform/embedded/writer-thread.ts'
import type { Clock } from '#shared/platform/platform.ts'
import { createSystemClock, createSystemRandom } from '#shared/platform/system.ts'

/** The tables of the embedded platform alone, with the writer thread beneath them at hand. */
export const aStorage = async (folder: string, clock: Clock = createSystemClock()) => {
  const file = join(folder, 'devcycle.db')
  const writer = await startWriter(file)
  const reader = openDatabase(file, { readOnly: true })
  const shared = { reader, writer, clock, random: createSystemRandom() }
  return {
    file,
    writer,
    reader,
    main: createSqliteTable({ name: 'main', ...shared }),
    volatile: createSqliteTable({ name: 'volatile', ...shared }),
    workflows: createSqliteTable({ name: 'workflows', ...shared }),
    async close() {
      await writer.close()
      reader.close()
    },
  }
}
