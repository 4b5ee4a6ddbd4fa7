import { createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Client } from '../client/client.ts'
import { toUnreachable } from '../client/errors.ts'
import { downloadObject, uploadFile } from '../client/objects.ts'
import { checkWritable, withReadable } from '../input/files.ts'
import { interruptible } from '../interrupt.ts'
import { note, print, printJson } from '../render/print.ts'

type PutOptions = { contentType: string; json?: boolean }

/** Uploads a file and prints the id of its object. */
export const putObject = (client: Client, file: string, { contentType, json }: PutOptions): Promise<void> =>
  withReadable(file, async (path) => {
    const object = await uploadFile(client, path, { contentType })
    if (json) printJson(object)
    else print(object.id)
  })

type GetOptions = { output?: string; json?: boolean }

/**
 * Writes the bytes of an object to a file, whole or not at all, or to standard output; with `--json` that gets the
 * object's description instead.
 */
export const getObject = async (client: Client, id: string, { output, json }: GetOptions): Promise<void> => {
  if (output !== undefined) checkWritable(output)
  if (json) printJson(await client.get(`/objects/${encodeURIComponent(id)}`))
  if (json && output === undefined) return
  const body = Readable.fromWeb(await downloadObject(client, id))
  await (output === undefined ? pipeline(body, process.stdout, { end: false }) : save(body, output)).catch(
    broken(client),
  )
}

const save = async (body: Readable, file: string): Promise<void> => {
  await interruptible(
    (signal) => writeWhole(body, file, signal),
    () => `${file} was not written`,
  )
  note(`written to ${file}`)
}

const writeWhole = async (body: Readable, file: string, signal: AbortSignal): Promise<void> => {
  const part = `${file}.${process.pid}.part`
  try {
    await pipeline(body, createWriteStream(part), { signal })
    await rename(part, file)
  } finally {
    await rm(part, { force: true })
  }
}

const broken =
  ({ url }: Client) =>
  (error: unknown): never => {
    throw error instanceof TypeError ? toUnreachable(error, url) : error
  }
