import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

export type FolderLock = { release(): void }

/**
 * Holds a data folder for this process alone. The lock is the operating system's own on an open file: it ends with
 * the process, however that ends, and no process id can be mistaken for another's.
 */
export const lockFolder = (dataDir: string): FolderLock => {
  const database = new DatabaseSync(join(dataDir, 'lock.db'), { timeout: 0 })
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE;')
  } catch (error) {
    database.close()
    throw new Error(`another DevCycle server is running on ${dataDir}; stop it, or choose another folder with --data`, {
      cause: error,
    })
  }
  return { release: () => database.close() }
}
