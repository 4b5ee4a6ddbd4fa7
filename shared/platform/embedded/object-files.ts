import { createHash, randomUUID } from 'node:crypto'
import { type FileHandle, open, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import type { ObjectKey, ObjectStat } from '../platform.ts'
import { PlatformError } from '../platform-error.ts'
import { flushFolder } from './durable-file.ts'

/** What is known about an object; the content is in a file of its own that is named after its checksum. */
export type Known = ObjectStat & { sha256: string }
type Body = Uint8Array | ReadableStream<Uint8Array>

const safe = /^\w[\w.-]{0,199}$/

/** The path of an object without its endings; folders fan out, so that none grows without bound. */
export const pathOf = (root: string, { tenant, id }: ObjectKey): string => {
  if (!safe.test(tenant) || !safe.test(id))
    throw new PlatformError('INVALID', `an object key has letters, digits, ".", "_" and "-"; received ${tenant}/${id}`)
  const fan = createHash('sha256').update(id).digest('hex').slice(0, 2)
  return join(root, tenant, fan, id)
}

export const knownPath = (path: string): string => `${path}.json`
export const contentPath = (path: string, { sha256 }: Known): string => `${path}.${sha256}`

/** Runs `fill` on a new file of its own and flushes it; nothing is left of it when that fails. */
const writeNew = async <T>(folder: string, fill: (handle: FileHandle) => Promise<T>): Promise<[file: string, T]> => {
  const file = join(folder, `${randomUUID()}.tmp`)
  try {
    const handle = await open(file, 'wx', 0o600)
    try {
      const result = await fill(handle)
      await handle.sync()
      return [file, result]
    } finally {
      await handle.close()
    }
  } catch (error) {
    await rm(file, { force: true })
    throw error
  }
}

/** Writes the content of an object under a temporary name, which it answers with what is known then. */
export const writeContent = (folder: string, body: Body, declared?: string): Promise<[file: string, Known]> =>
  writeNew(folder, async (handle) => {
    const known = await copy(body, handle)
    if (declared !== undefined && declared !== known.sha256)
      throw new PlatformError('INVALID', `the content has sha256 ${known.sha256}, declared was ${declared}`)
    return known
  })

const copy = async (body: Body, handle: FileHandle): Promise<Known> => {
  const hash = createHash('sha256')
  let size = 0
  for await (const chunk of body instanceof Uint8Array ? [body] : body) {
    hash.update(chunk)
    size += chunk.byteLength
    await handle.writeFile(chunk)
  }
  return { size, sha256: hash.digest('hex') }
}

/** Makes the object be what was written: from here on it is there, in one step, and lasts. */
export const publish = async (path: string, folder: string, content: string, known: Known): Promise<void> => {
  const [file] = await writeNew(folder, (handle) => handle.writeFile(JSON.stringify(known)))
  await rename(content, contentPath(path, known))
  await rename(file, knownPath(path))
  await flushFolder(dirname(path))
}

export const readKnown = async (path: string): Promise<Known | undefined> => {
  try {
    return JSON.parse(await readFile(knownPath(path), 'utf8')) as Known
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new PlatformError('CORRUPT', `what is known about object ${path} cannot be read`, { cause: error })
  }
}

/** The content `from` a byte on; the stream of all of it fails at its end when the checksum is another one. */
export const openContent = async (path: string, known: Known, from: number): Promise<ReadableStream<Uint8Array>> => {
  const handle = await open(contentPath(path, known), 'r')
  const { size } = await handle.stat()
  if (size !== known.size) {
    await handle.close()
    throw new PlatformError('CORRUPT', `object ${path} has ${size} bytes instead of ${known.size}`)
  }
  const content = Readable.toWeb(handle.createReadStream({ start: from })) as ReadableStream<Uint8Array>
  if (from > 0) return content
  return content.pipeThrough(checked(path, known))
}

const checked = (path: string, known: Known): TransformStream<Uint8Array, Uint8Array> => {
  const hash = createHash('sha256')
  return new TransformStream({
    transform(chunk, controller) {
      hash.update(chunk)
      controller.enqueue(chunk)
    },
    flush() {
      if (hash.digest('hex') !== known.sha256) throw new PlatformError('CORRUPT', `object ${path} is damaged`)
    },
  })
}
