import { createHash, randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type FileHandle, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import type { ObjectKey, ObjectStat, Objects } from '../platform.ts'
import { PlatformError } from '../platform-error.ts'
import type { Presigner } from './presigner.ts'

const safe = /^[\w.-]{1,200}$/

/** Two levels of folders, so that no folder grows without bound. */
const pathOf = (root: string, { tenant, id }: ObjectKey): string => {
  if (!safe.test(tenant) || !safe.test(id) || id.startsWith('.') || tenant.startsWith('.'))
    throw new PlatformError('INVALID', `an object key has letters, digits, ".", "_" and "-"; received ${tenant}/${id}`)
  const fan = createHash('sha256').update(id).digest('hex').slice(0, 2)
  return join(root, tenant, fan, id)
}

const metaPath = (path: string): string => `${path}.json`

const syncFolder = async (path: string): Promise<void> => {
  const folder = await open(dirname(path), 'r')
  await folder.sync().finally(() => folder.close())
}

const writeAll = async (handle: FileHandle, body: Uint8Array | ReadableStream<Uint8Array>) => {
  const hash = createHash('sha256')
  let size = 0
  for await (const chunk of body instanceof Uint8Array ? [body] : body) {
    hash.update(chunk)
    size += chunk.byteLength
    await handle.writeFile(chunk)
  }
  await handle.sync()
  return { size, sha256: hash.digest('hex') }
}

/** Flushed under a temporary name, then renamed: an object is there whole or not at all. */
const writeFile = async (path: string, body: Uint8Array | ReadableStream<Uint8Array>, expected?: string) => {
  const temporary = `${path}.${randomUUID()}.tmp`
  const handle = await open(temporary, 'wx', 0o600)
  try {
    const written = await writeAll(handle, body).finally(() => handle.close())
    if (expected !== undefined && expected !== written.sha256)
      throw new PlatformError('INVALID', `the content has sha256 ${written.sha256}, declared was ${expected}`)
    await rename(temporary, path)
    return written
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

/** Objects as files below `root`, each with a file of what is known about it. */
export const createFileObjects = ({ root, presigner }: { root: string; presigner: Presigner }): Objects => {
  const readStat = async (path: string): Promise<ObjectStat | undefined> => {
    try {
      return JSON.parse(await readFile(metaPath(path), 'utf8')) as ObjectStat
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw new PlatformError('CORRUPT', `what is known about object ${path} cannot be read`, { cause: error })
    }
  }
  return {
    async put(key, body, options = {}) {
      const path = pathOf(root, key)
      await mkdir(dirname(path), { recursive: true })
      const written = await writeFile(path, body, options.sha256)
      const known: ObjectStat = { ...written, ...(options.contentType && { contentType: options.contentType }) }
      await writeFile(metaPath(path), Buffer.from(JSON.stringify(known)))
      await syncFolder(path)
      return known
    },
    async get(key) {
      const path = pathOf(root, key)
      const known = await readStat(path)
      if (known === undefined) return undefined
      await checkSize(path, known)
      return { stat: known, body: verified(path, known) }
    },
    stat: (key) => readStat(pathOf(root, key)),
    async delete(key) {
      const path = pathOf(root, key)
      await rm(metaPath(path), { force: true })
      await rm(path, { force: true })
    },
    presignPut: async (key, options) => presigner.sign({ method: 'PUT', key, ...options }),
    presignGet: async (key, options) => presigner.sign({ method: 'GET', key, ...options }),
  }
}

const checkSize = async (path: string, known: ObjectStat): Promise<void> => {
  const size = await stat(path).then(
    (file) => file.size,
    () => -1,
  )
  if (size !== known.size)
    throw new PlatformError('CORRUPT', `object ${path} has ${size} bytes instead of ${known.size}`)
}

/** The content; the stream fails at its end when the checksum is another one. */
const verified = (path: string, known: ObjectStat): ReadableStream<Uint8Array> => {
  const hash = createHash('sha256')
  const check = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      hash.update(chunk)
      controller.enqueue(chunk)
    },
    flush() {
      if (hash.digest('hex') !== known.sha256) throw new PlatformError('CORRUPT', `object ${path} is damaged`)
    },
  })
  return (Readable.toWeb(createReadStream(path)) as ReadableStream<Uint8Array>).pipeThrough(check)
}
