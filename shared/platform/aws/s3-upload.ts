import { createHash } from 'node:crypto'
import { CopyObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import type { ObjectStat } from '../platform.ts'
import { PlatformError } from '../platform-error.ts'
import { translated } from './aws-error.ts'

export type Place = { client: S3Client; Bucket: string; Key: string }
type Declared = { contentType?: string; sha256?: string }

const refuseOther = (found: string, declared: string | undefined): void => {
  if (declared !== undefined && declared.toLowerCase() !== found)
    throw new PlatformError('INVALID', `the content has sha256 ${found}, declared was ${declared}`)
}

/** S3 wants checksums in base 64, everybody else writes them in hexadecimal digits. */
export const toBase64 = (hex: string): string => Buffer.from(hex, 'hex').toString('base64')

/** One request; S3 compares the checksum before it stores anything. */
export const putBytes = async (place: Place, body: Uint8Array, declared: Declared): Promise<ObjectStat> => {
  const sha256 = createHash('sha256').update(body).digest('hex')
  refuseOther(sha256, declared.sha256)
  const { client, ...where } = place
  const command = new PutObjectCommand({
    ...where,
    Body: body,
    ContentType: declared.contentType,
    ChecksumSHA256: toBase64(sha256),
    Metadata: { sha256 },
  })
  await translated('an upload', () => client.send(command))
  return { size: body.byteLength, sha256, ...(declared.contentType && { contentType: declared.contentType }) }
}

/** Counts and digests what passes; the end is an error when another checksum was declared. */
const measured = (declared: string | undefined) => {
  const hash = createHash('sha256')
  const result = { size: 0, sha256: '' }
  const transform = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      hash.update(chunk)
      result.size += chunk.byteLength
      controller.enqueue(chunk)
    },
    flush() {
      result.sha256 = hash.digest('hex')
      refuseOther(result.sha256, declared)
    },
  })
  return { transform, result }
}

/** In parts, for any length; until the last one is there nothing is visible, and a failure leaves none behind. */
export const putStream = async (
  place: Place,
  body: ReadableStream<Uint8Array>,
  { contentType, sha256 }: Declared,
): Promise<ObjectStat> => {
  const { client, ...where } = place
  const { transform, result } = measured(sha256)
  const described = { ContentType: contentType, ...(sha256 && { Metadata: { sha256: sha256.toLowerCase() } }) }
  const upload = new Upload({ client, params: { ...where, ...described, Body: body.pipeThrough(transform) } })
  await translated('an upload', () => upload.done())
  if (sha256 === undefined) await noteChecksum(place, result.sha256, contentType)
  return { ...result, ...(contentType && { contentType }) }
}

/** The checksum of a stream is known when it has ended; S3 changes what it says about an object by a copy in place. */
const noteChecksum = async (place: Place, sha256: string, contentType: string | undefined): Promise<void> => {
  const { client, ...where } = place
  const command = new CopyObjectCommand({
    ...where,
    CopySource: `${where.Bucket}/${where.Key}`,
    ContentType: contentType,
    MetadataDirective: 'REPLACE',
    Metadata: { sha256 },
  })
  await translated('the note of a checksum', () => client.send(command))
}
