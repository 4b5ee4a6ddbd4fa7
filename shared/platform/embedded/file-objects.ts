import { mkdirSync, rmSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { createKeyLocks } from '../key-locks.ts'
import type { ObjectKey, ObjectStat, Objects } from '../platform.ts'
import { PlatformError } from '../platform-error.ts'
import { flushFolder, makeFolder } from './durable-file.ts'
import {
  contentPath,
  type Known,
  knownPath,
  openContent,
  pathOf,
  publish,
  readKnown,
  writeContent,
} from './object-files.ts'
import type { Presigner } from './presigner.ts'

const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT'

/** Content that is written, and not yet at its path. */
type Written = { path: string; content: string; known: Known }

export type FileObjects = Objects & {
  /** As `put`, but never replaces other content: `undefined` when there is such, which stays. */
  putOnce(...put: Parameters<Objects['put']>): Promise<ObjectStat | undefined>
}

/** Objects as files below `root`: the content, and a file of what is known about it that makes it be there. */
export const createFileObjects = ({ root, presigner }: { root: string; presigner: Presigner }): FileObjects => {
  const locks = createKeyLocks()
  const uploads = join(root, '.uploads')
  rmSync(uploads, { recursive: true, force: true }) // what broke off when the last process ended
  mkdirSync(uploads, { recursive: true, mode: 0o700 })

  const write = async (...[key, body, { sha256, contentType } = {}]: Parameters<Objects['put']>): Promise<Written> => {
    const path = pathOf(root, key)
    const [content, known] = await writeContent(uploads, body, sha256)
    await makeFolder(dirname(path))
    return { path, content, known: { ...known, ...(contentType && { contentType }) } }
  }
  /** Other content that is there; what is damaged may be replaced. */
  const otherThan = async ({ path, known }: Written): Promise<Known | undefined> => {
    const before = await readKnown(path).catch(() => undefined)
    return before?.sha256 === known.sha256 ? undefined : before
  }
  const replace = async (written: Written): Promise<void> => {
    const { path, content, known } = written
    const other = await otherThan(written)
    await publish(path, uploads, content, known)
    if (other) await rm(contentPath(path, other), { force: true })
  }
  const find = async (key: ObjectKey, from = 0, tries = 3): ReturnType<Objects['get']> => {
    const path = pathOf(root, key)
    const known = await readKnown(path)
    if (known === undefined) return undefined
    try {
      return { stat: known, body: await openContent(path, known, from) }
    } catch (error) {
      if (!isMissing(error)) throw error
      if (tries > 0) return find(key, from, tries - 1) // replaced or deleted in between
      throw new PlatformError('CORRUPT', `object ${path} has lost its content`, { cause: error })
    }
  }

  return {
    async put(...put) {
      const written = await write(...put)
      await locks.run(written.path, () => replace(written))
      return written.known
    },
    async putOnce(...put) {
      const written = await write(...put)
      return locks.run(written.path, async () => {
        if (await otherThan(written)) return void (await rm(written.content, { force: true }))
        await replace(written)
        return written.known
      })
    },
    get: (key, { from } = {}) => find(key, from),
    stat: async (key) => readKnown(pathOf(root, key)),
    async delete(key) {
      const path = pathOf(root, key)
      await locks.run(path, async () => {
        const known = await readKnown(path).catch(() => undefined)
        await rm(knownPath(path), { force: true })
        if (known === undefined) return
        await rm(contentPath(path, known), { force: true })
        await flushFolder(dirname(path))
      })
    },
    presignPut: async (key, options) => presigner.sign({ method: 'PUT', key, ...options }),
    presignGet: async (key, options) => presigner.sign({ method: 'GET', key, ...options }),
  }
}
