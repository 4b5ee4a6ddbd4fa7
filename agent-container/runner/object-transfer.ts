import { createHash, randomUUID } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { isAbsolute, join, relative } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { objectRefSchema } from '#shared/contracts/common.ts'
import type { ObjectResponse } from '#shared/contracts/objects.ts'
import { sendUntilAnswered } from './platform-client.ts'
import type { Sender } from './task-source.ts'

type Access = { source: Sender; signal: AbortSignal }

/** Whether a value stands for an object: `{"$ref": "obj_…"}` and nothing else. */
export const isReference = (value: unknown): value is { $ref: string } => objectRefSchema.safeParse(value).success

/** Downloads an object into a folder and answers the file's path; a damaged download is an error. */
export const fetchObject = async ({ source, signal }: Access, id: string, folder: string): Promise<string> => {
  if (!isReference({ $ref: id })) throw new Error(`${JSON.stringify(id)} is no object; an id looks like obj_01J…`)
  const object = (await sendUntilAnswered(source, {
    method: 'GET',
    path: `/objects/${id}`,
    signal,
  })) as ObjectResponse
  if (object.download === undefined) throw new Error(`object ${id} has no content yet`)
  const response = await fetch(object.download.url, { headers: object.download.headers, signal })
  if (!response.ok || response.body === null) throw new Error(`object ${id} could not be fetched: ${response.status}`)
  const path = join(folder, `${id}-${randomUUID().slice(0, 8)}`)
  const hash = createHash('sha256')
  const body = Readable.fromWeb(response.body).on('data', (chunk: Buffer) => hash.update(chunk))
  await pipeline(body, createWriteStream(path, { mode: 0o600 }))
  if (object.sha256 !== undefined && hash.digest('hex') !== object.sha256)
    throw new Error(`object ${id} arrived damaged`)
  return path
}

/** What an upload is told whose object an attempt before stored. */
const isStored = 412

export type Upload = { file: string } | { bytes: Uint8Array }

/** Uploads bytes or a file and answers the object's reference. Under one key it is one object, which is sent once. */
export const putObject = async (
  access: Access,
  upload: Upload,
  contentType = 'application/octet-stream',
  idempotencyKey?: string,
): Promise<{ $ref: string }> => {
  const { source, signal } = access
  const headers = idempotencyKey === undefined ? undefined : { 'idempotency-key': idempotencyKey }
  const size = 'file' in upload ? (await stat(upload.file)).size : upload.bytes.byteLength
  const request = { method: 'POST' as const, path: '/objects', headers, body: { contentType, size }, signal }
  const object = (await sendUntilAnswered(source, request)) as ObjectResponse
  if (object.state === 'STORED') return { $ref: object.id }
  if (object.upload === undefined) throw new Error(`object ${object.id} takes no upload`)
  const body = 'file' in upload ? Readable.toWeb(createReadStream(upload.file)) : upload.bytes
  const response = await fetch(object.upload.url, {
    method: 'PUT',
    headers: { ...object.upload.headers, 'content-length': String(size) },
    body: body as RequestInit['body'],
    duplex: 'half',
    signal,
  } as RequestInit)
  if (!response.ok && response.status !== isStored)
    throw new Error(`object ${object.id} could not be uploaded: ${response.status} ${await response.text()}`)
  return { $ref: object.id }
}

/** A path of the workspace; what leads out of it is refused. */
export const insideOf = (folder: string, path: string): string => {
  const way = relative(folder, path)
  if (way.startsWith('..') || isAbsolute(way)) throw new Error(`${path} is outside of the workspace`)
  return path
}
