import { createWriteStream, existsSync } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Client } from '../client/client.ts'
import { downloadObject, uploadFile } from '../client/objects.ts'
import { usageError } from '../failure.ts'
import { printJson } from '../render/print.ts'

/** Uploads a file and prints its reference. */
export const putObject = async (
  client: Client,
  file: string,
  { contentType, json }: { contentType: string; json?: boolean },
): Promise<void> => {
  if (!existsSync(file)) throw usageError(`there is no file ${file}`)
  const object = await uploadFile(client, file, contentType)
  if (json) printJson(object)
  else process.stdout.write(`${object.id}\n`)
}

/** Writes the bytes of an object to a file or to standard output. */
export const getObject = async (
  client: Client,
  id: string,
  { output, json }: { output?: string; json?: boolean },
): Promise<void> => {
  if (json) return printJson(await client.get(`/objects/${encodeURIComponent(id)}`))
  const body = Readable.fromWeb(await downloadObject(client, id))
  if (output === undefined) await pipeline(body, process.stdout, { end: false })
  else await pipeline(body, createWriteStream(output))
}
