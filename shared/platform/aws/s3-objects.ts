import { createHash } from 'node:crypto'
import { DeleteObjectCommand, GetObjectCommand, HeadObjectCommand, S3Client } from '@aws-sdk/client-s3'
import type { Clock, ObjectKey, ObjectStat, Objects } from '../platform.ts'
import { PlatformError } from '../platform-error.ts'
import { isNamed, translated } from './aws-error.ts'
import { presignDownload, presignUpload } from './s3-presign.ts'
import { type Place, putBytes, putStream } from './s3-upload.ts'

type Options = { bucket: string; client?: S3Client; clock: Clock }

const safe = /^[\w.-]{1,200}$/

/** Everything of a tenant is below its prefix. */
const nameOf = ({ tenant, id }: ObjectKey): string => {
  if (!safe.test(tenant) || !safe.test(id) || tenant.startsWith('.') || id.startsWith('.'))
    throw new PlatformError('INVALID', `an object key has letters, digits, ".", "_" and "-"; received ${tenant}/${id}`)
  return `${tenant}/${id}`
}

/**
 * Checksums are our own and declared where they matter: the SDK's would be signed into presigned addresses, where
 * they are those of no content.
 */
export const s3ClientConfig = {
  requestChecksumCalculation: 'WHEN_REQUIRED',
  responseChecksumValidation: 'WHEN_REQUIRED',
} as const

const unlessMissing = async <T>(call: () => Promise<T>): Promise<T | undefined> => {
  try {
    return await translated('an object', call)
  } catch (error) {
    if (isNamed(error, 'NotFound', 'NoSuchKey')) return undefined
    throw error
  }
}

type Described = { ContentLength?: number; ContentType?: string; Metadata?: Record<string, string> }

const toStat = ({ ContentLength = 0, ContentType, Metadata }: Described): ObjectStat => ({
  size: ContentLength,
  ...(Metadata?.sha256 && { sha256: Metadata.sha256 }),
  ...(ContentType && ContentType !== unknownType && { contentType: ContentType }),
})

/** What S3 says of an object whose type nobody told. */
const unknownType = 'application/octet-stream'

/** The content; the stream fails at its end when the checksum is another one. */
const verified = (body: ReadableStream<Uint8Array>, key: string, sha256: string | undefined) => {
  if (sha256 === undefined) return body
  const hash = createHash('sha256')
  const check = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      hash.update(chunk)
      controller.enqueue(chunk)
    },
    flush() {
      if (hash.digest('hex') !== sha256) throw new PlatformError('CORRUPT', `object ${key} is damaged`)
    },
  })
  return body.pipeThrough(check)
}

/** Objects in S3, below the tenant's prefix. What callers send themselves goes to S3 by a presigned address. */
export const createS3Objects = ({ bucket, client = new S3Client(s3ClientConfig), clock }: Options): Objects => {
  const placeOf = (key: ObjectKey): Place => ({ client, Bucket: bucket, Key: nameOf(key) })
  const at = (key: ObjectKey) => ({ Bucket: bucket, Key: nameOf(key) })
  const expiresAt = (seconds: number): number => clock.now() + seconds * 1000
  const stat: Objects['stat'] = async (key) => {
    const found = await unlessMissing(() => client.send(new HeadObjectCommand(at(key))))
    return found && toStat(found)
  }
  const partOf = async (key: ObjectKey, from: number): ReturnType<Objects['get']> => {
    const known = await stat(key)
    if (known === undefined) return undefined
    if (from >= known.size) return { stat: known, body: new Blob([]).stream() }
    const found = await unlessMissing(() => client.send(new GetObjectCommand({ ...at(key), Range: `bytes=${from}-` })))
    return found?.Body && { stat: known, body: found.Body.transformToWebStream() as ReadableStream<Uint8Array> }
  }
  return {
    stat,
    async put(key, body, options = {}) {
      const place = placeOf(key)
      return body instanceof Uint8Array ? putBytes(place, body, options) : putStream(place, body, options)
    },
    async get(key, { from = 0 } = {}) {
      if (from > 0) return partOf(key, from)
      const found = await unlessMissing(() => client.send(new GetObjectCommand(at(key))))
      if (found?.Body === undefined) return undefined
      const stat = toStat(found)
      const body = found.Body.transformToWebStream() as ReadableStream<Uint8Array>
      return { stat, body: verified(body, nameOf(key), stat.sha256) }
    },
    async delete(key) {
      await translated('a delete', () => client.send(new DeleteObjectCommand(at(key))))
    },
    async presignPut(key, options) {
      const signed = await presignUpload(placeOf(key), options)
      return { method: 'PUT', ...signed, expiresAt: expiresAt(options.seconds) }
    },
    async presignGet(key, options) {
      const url = await presignDownload(placeOf(key), options)
      return { method: 'GET', url, headers: {}, expiresAt: expiresAt(options.seconds) }
    },
  }
}
