import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { Readable } from 'node:stream'
import type { ObjectResponse } from '#shared/contracts/objects.ts'
import { CliError, exitCodes } from '../failure.ts'
import type { Client } from './client.ts'

const unreachable = (error: unknown): CliError =>
  new CliError('the storage of objects could not be reached', exitCodes.unreachable, { cause: error })

/** Uploads a file and answers its object. */
export const uploadFile = async (
  client: Client,
  path: string,
  contentType = 'application/octet-stream',
): Promise<ObjectResponse> => {
  const { size } = await stat(path)
  const object = await client.create<ObjectResponse>('/objects', { contentType, size })
  if (object.upload === undefined) return object
  const headers = { ...object.upload.headers, 'content-length': String(size) }
  const body = Readable.toWeb(createReadStream(path)) as RequestInit['body']
  const response = await fetch(object.upload.url, {
    method: 'PUT',
    headers,
    body,
    duplex: 'half',
  } as RequestInit).catch((error: unknown) => {
    throw unreachable(error)
  })
  if (!response.ok) throw new CliError(`the upload of ${path} was refused with ${response.status}`, 1)
  return client.get<ObjectResponse>(`/objects/${object.id}`)
}

/** The bytes of an object. */
export const downloadObject = async (client: Client, id: string): Promise<ReadableStream<Uint8Array>> => {
  const object = await client.get<ObjectResponse>(`/objects/${encodeURIComponent(id)}`)
  if (object.download === undefined) throw new CliError(`object ${id} has no content yet`, exitCodes.notFound)
  const response = await fetch(object.download.url, { headers: object.download.headers }).catch((error: unknown) => {
    throw unreachable(error)
  })
  if (!response.ok || response.body === null)
    throw new CliError(`object ${id} could not be fetched: ${response.status}`, 1)
  return response.body
}
