import { createHash } from 'node:crypto'
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import type { Clock, ObjectKey, ObjectStat, Objects } from '../platform.ts'
import { PlatformError } from '../platform-error.ts'
import { translated } from './aws-error.ts'

type Options = { bucket: string; client?: S3Client; clock: Clock }

const nameOf = ({ tenant, id }: ObjectKey): string => `${tenant}/${id}`
const isMissing = (error: unknown): boolean => ['NotFound', 'NoSuchKey'].includes((error as Error).name)

const toStat = (answer: {
  ContentLength?: number
  ContentType?: string
  Metadata?: Record<string, string>
}): ObjectStat => ({
  size: answer.ContentLength ?? 0,
  ...(answer.Metadata?.sha256 && { sha256: answer.Metadata.sha256 }),
  ...(answer.ContentType && { contentType: answer.ContentType }),
})

const hexToBase64 = (hex: string): string => Buffer.from(hex, 'hex').toString('base64')

const readAll = async (body: Uint8Array | ReadableStream<Uint8Array>): Promise<Uint8Array> =>
  body instanceof Uint8Array ? body : new Uint8Array(await new Response(body).arrayBuffer())

/** Objects in S3, below the tenant's prefix. What callers send themselves goes to S3 by a presigned address. */
export const createS3Objects = ({ bucket: Bucket, client = new S3Client({}), clock }: Options): Objects => {
  const stat = async (key: ObjectKey): Promise<ObjectStat | undefined> => {
    try {
      return toStat(
        await translated('an object', () => client.send(new HeadObjectCommand({ Bucket, Key: nameOf(key) }))),
      )
    } catch (error) {
      if (isMissing(error)) return undefined
      throw error
    }
  }
  return {
    stat,
    async put(key, body, { contentType, sha256 } = {}) {
      const bytes = await readAll(body)
      const digest = createHash('sha256').update(bytes).digest('hex')
      if (sha256 !== undefined && sha256 !== digest)
        throw new PlatformError('INVALID', `the content has sha256 ${digest}, declared was ${sha256}`)
      const command = new PutObjectCommand({
        Bucket,
        Key: nameOf(key),
        Body: bytes,
        ContentType: contentType,
        ChecksumSHA256: hexToBase64(digest),
        Metadata: { sha256: digest },
      })
      await translated('an upload', () => client.send(command))
      return { size: bytes.byteLength, sha256: digest, ...(contentType && { contentType }) }
    },
    async get(key) {
      try {
        const answer = await translated('an object', () =>
          client.send(new GetObjectCommand({ Bucket, Key: nameOf(key) })),
        )
        return (
          answer.Body && {
            stat: toStat(answer),
            body: answer.Body.transformToWebStream() as ReadableStream<Uint8Array>,
          }
        )
      } catch (error) {
        if (isMissing(error)) return undefined
        throw error
      }
    },
    async delete(key) {
      await translated('a delete', () => client.send(new DeleteObjectCommand({ Bucket, Key: nameOf(key) })))
    },
    async presignPut(key, { seconds, contentType, sha256 }) {
      const command = new PutObjectCommand({
        Bucket,
        Key: nameOf(key),
        ...(contentType && { ContentType: contentType }),
        ...(sha256 && { ChecksumSHA256: hexToBase64(sha256), Metadata: { sha256 } }),
      })
      const url = await getSignedUrl(client, command, { expiresIn: seconds })
      const headers: Record<string, string> = contentType ? { 'content-type': contentType } : {}
      return { method: 'PUT', url, headers, expiresAt: clock.now() + seconds * 1000 }
    },
    async presignGet(key, { seconds, fileName }) {
      const disposition = fileName && {
        ResponseContentDisposition: `attachment; filename="${fileName.replaceAll(/[^\w.-]/g, '_')}"`,
      }
      const url = await getSignedUrl(client, new GetObjectCommand({ Bucket, Key: nameOf(key), ...disposition }), {
        expiresIn: seconds,
      })
      return { method: 'GET', url, headers: {}, expiresAt: clock.now() + seconds * 1000 }
    },
  }
}
