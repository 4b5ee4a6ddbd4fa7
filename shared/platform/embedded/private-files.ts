import { chmod, open, readdir } from 'node:fs/promises'
import { join } from 'node:path'

const databases = ['devcycle.db', 'lock.db']
/** What SQLite keeps beside a database is made with the mode of that; what is there already has its own. */
const besides = ['-wal', '-shm', '-journal']
const ownerOnly = 0o600

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code

/** As far as the file is ours to change, and there. */
const restrict = async (path: string, mode: number): Promise<void> => {
  await chmod(path, mode).catch((error: unknown) => {
    if (codeOf(error) !== 'ENOENT' && codeOf(error) !== 'EPERM') throw error
  })
}

const makePrivate = async (file: string): Promise<void> => {
  await (await open(file, 'a', ownerOnly)).close()
  for (const ending of ['', ...besides]) await restrict(`${file}${ending}`, ownerOnly)
}

/**
 * Leaves what a data folder holds to its owner alone, also in one that was made by an earlier version. A folder that
 * holds something else as well keeps its mode.
 */
export const keepPrivate = async (dataDir: string): Promise<void> => {
  const found = await readdir(dataDir)
  if (found.length === 0 || found.includes('devcycle.db')) await restrict(dataDir, 0o700)
  for (const name of databases) await makePrivate(join(dataDir, name))
}
