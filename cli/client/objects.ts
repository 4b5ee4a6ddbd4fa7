import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ObjectResponse } from '#shared/contracts/objects.ts'
import { CliError, exitCodes } from '../failure.ts'
import type { Client } from './client.ts'
import { toUnreachable, UnreachableError } from './errors.ts'

export type UploadOptions = {
  contentType?: string
  /** The same key gives the same object, whatever the bytes are that were sent first. */
  idempotencyKey?: string
  signal?: AbortSignal
}

/** Uploads a file and answers its object; the storage refuses bytes that differ from the file's. */
export const uploadFile = async (
  client: Client,
  path: string,
  { contentType = 'application/octet-stream', idempotencyKey, signal }: UploadOptions = {},
): Promise<ObjectResponse> => {
  const content = idempotencyKey === undefined ? await describeFile(path) : {}
  const headers = idempotencyKey === undefined ? undefined : { 'idempotency-key': idempotencyKey }
  const object = await client.create<ObjectResponse>('/objects', { contentType, ...content }, { headers, signal })
  if (object.upload === undefined) return object
  await sendFile(object.upload, path, signal)
  return client.get<ObjectResponse>(`/objects/${object.id}`, { signal })
}

const describeFile = async (path: string): Promise<{ size: number; sha256: string }> => {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return { size: (await stat(path)).size, sha256: hash.digest('hex') }
}

const tries = 3
/** What an upload that was stored already, and whose answer was lost, is told when it is sent again. */
const isStored = 412

const sendFile = async (
  to: NonNullable<ObjectResponse['upload']>,
  path: string,
  signal: AbortSignal | undefined,
): Promise<void> => {
  for (let round = 1; ; round++)
    try {
      return await sendOnce(to, path, signal)
    } catch (error) {
      if (!(error instanceof UnreachableError) || round === tries) throw error
    }
}

const sendOnce = async (
  { method, url, headers }: NonNullable<ObjectResponse['upload']>,
  path: string,
  signal: AbortSignal | undefined,
): Promise<void> => {
  const { size } = await stat(path)
  const body = size === 0 ? new Uint8Array() : Readable.toWeb(createReadStream(path))
  const length = { 'content-length': String(size) }
  const init = { method, headers: { ...headers, ...length }, body, duplex: 'half', signal } as RequestInit
  const response = await fetchStored(url, init)
  if (response.status >= 500 || response.status === 409)
    throw new UnreachableError(`the storage of objects answered ${response.status}`)
  if (!response.ok && response.status !== isStored)
    throw new CliError(`${path} was not accepted: ${await reasonOf(response)}`, exitCodes.failed)
}

const fetchStored = (url: string, init: RequestInit): Promise<Response> =>
  fetch(url, init).catch((error: unknown) => {
    throw init.signal?.aborted ? error : toUnreachable(error, new URL(url).origin)
  })

const reasonOf = async (response: Response): Promise<string> => {
  const text = await response.text()
  const detail = text.startsWith('{') ? (JSON.parse(text) as { detail?: string }).detail : undefined
  return detail ?? /<Message>([^<]+)/.exec(text)?.[1] ?? String(response.status)
}

/** The bytes of an object. */
export const downloadObject = async (client: Client, id: string): Promise<ReadableStream<Uint8Array>> => {
  const { download } = await client.get<ObjectResponse>(`/objects/${encodeURIComponent(id)}`)
  if (download === undefined) throw new CliError(`object ${id} has no content yet`, exitCodes.notFound)
  const response = await fetchStored(download.url, { headers: download.headers })
  if (!response.ok || response.body === null)
    throw new CliError(`object ${id} could not be fetched: ${await reasonOf(response)}`, exitCodes.failed)
  return response.body
}
