import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import {
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { sdkStreamMixin } from '@smithy/core/serde'
import { mockClient } from 'aws-sdk-client-mock'
import { afterEach, describe, expect, it } from 'vitest'
import { createS3Objects, s3ClientConfig } from '#shared/platform/aws/s3-objects.ts'
import { sdkError } from './errors.ts'
import { aTiming } from './timing.ts'

const key = { tenant: 'acme', id: 'obj_1' }
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
const base64 = (hex: string): string => Buffer.from(hex, 'hex').toString('base64')
const aClient = () =>
  new S3Client({
    ...s3ClientConfig,
    region: 'us-east-1',
    credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' },
  })
const someObjects = () => createS3Objects({ bucket: 'bucket', client: aClient(), clock: aTiming().clock })

describe('objects on S3', () => {
  const s3 = mockClient(S3Client)
  afterEach(() => s3.reset())
  const bodyOf = (text: string) => sdkStreamMixin(Readable.from([Buffer.from(text)]))

  it('are stored below the tenant with their checksum', async () => {
    s3.on(PutObjectCommand).resolves({})
    await someObjects().put(key, Buffer.from('text'), { contentType: 'text/plain' })
    expect(s3.commandCalls(PutObjectCommand)[0]?.args[0].input).toMatchObject({
      Bucket: 'bucket',
      Key: 'acme/obj_1',
      ContentType: 'text/plain',
      ChecksumSHA256: base64(sha256('text')),
      Metadata: { sha256: sha256('text') },
    })
  })

  it('never leave the tenant', async () => {
    for (const id of ['../other/x', 'a/b', '', '.hidden', 'ü'])
      await expect(someObjects().stat({ tenant: 'acme', id })).rejects.toMatchObject({ code: 'INVALID' })
    expect(s3.calls()).toEqual([])
  })

  it('are CORRUPT when they are not what was stored', async () => {
    s3.on(GetObjectCommand).resolves({ Body: bodyOf('damaged'), Metadata: { sha256: sha256('text') } })
    const found = await someObjects().get(key)
    await expect(new Response(found?.body).text()).rejects.toMatchObject({ code: 'CORRUPT' })
    s3.on(GetObjectCommand).resolves({ Body: bodyOf('text'), Metadata: { sha256: sha256('text') } })
    expect(await new Response((await someObjects().get(key))?.body).text()).toBe('text')
  })

  it('learn the checksum of a stream when it has ended', async () => {
    s3.on(PutObjectCommand).resolves({})
    s3.on(CopyObjectCommand).resolves({})
    await someObjects().put(key, new Blob(['text']).stream(), { contentType: 'text/plain' })
    expect(s3.commandCalls(CopyObjectCommand)[0]?.args[0].input).toMatchObject({
      CopySource: 'bucket/acme/obj_1',
      MetadataDirective: 'REPLACE',
      ContentType: 'text/plain',
      Metadata: { sha256: sha256('text') },
    })
  })

  it('are not begun in parts that are never completed when a stream is not what was declared', async () => {
    const put = someObjects().put(key, new Blob(['text']).stream(), { sha256: sha256('other') })
    await expect(put).rejects.toMatchObject({ code: 'INVALID' })
    expect([...s3.commandCalls(PutObjectCommand), ...s3.commandCalls(CreateMultipartUploadCommand)]).toEqual([])
  })

  it('are THROTTLED or UNAVAILABLE when S3 is', async () => {
    s3.on(PutObjectCommand).rejects(sdkError('SlowDown', { status: 503 }))
    await expect(someObjects().put(key, Buffer.from(''))).rejects.toMatchObject({ code: 'THROTTLED' })
    s3.on(HeadObjectCommand).rejects(sdkError('TimeoutError'))
    await expect(someObjects().stat(key)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    s3.on(HeadObjectCommand).rejects(sdkError('AccessDenied', { status: 403 }))
    await expect(someObjects().stat(key)).rejects.toMatchObject({ name: 'AccessDenied' })
  })
})

describe('presigned addresses', () => {
  const signedHeaders = (url: string): string[] =>
    new URL(url).searchParams.get('X-Amz-SignedHeaders')?.split(';') ?? []

  it('for an upload bind its type, checksum and size, and say what to send', async () => {
    const declared = { contentType: 'text/plain', sha256: sha256('text'), size: 4 }
    const { url, headers, method, expiresAt } = await someObjects().presignPut(key, { seconds: 60, ...declared })
    expect(method).toBe('PUT')
    expect(expiresAt).toBe(aTiming().clock.now() + 60_000)
    expect(signedHeaders(url)).toEqual([
      'content-length',
      'content-type',
      'host',
      'if-none-match',
      'x-amz-checksum-sha256',
      'x-amz-meta-sha256',
    ])
    expect(headers).toEqual({
      'if-none-match': '*',
      'content-type': 'text/plain',
      'x-amz-checksum-sha256': base64(sha256('text')),
      'x-amz-meta-sha256': sha256('text'),
    })
    expect(new URL(url).searchParams.get('X-Amz-Expires')).toBe('60')
  })

  it('carry no checksum that nobody declared: it would be that of no content', async () => {
    const { url, headers } = await someObjects().presignPut(key, { seconds: 60 })
    expect(url.toLowerCase()).not.toContain('checksum')
    expect(signedHeaders(url)).toEqual(['host', 'if-none-match'])
    expect(headers).toEqual({ 'if-none-match': '*' })
  })

  it('for a download give a file name that cannot break out of its header', async () => {
    const { url } = await someObjects().presignGet(key, { seconds: 60, fileName: 'a"\r\nb.txt' })
    expect(new URL(url).searchParams.get('response-content-disposition')).toBe('attachment; filename="a___b.txt"')
  })
})
