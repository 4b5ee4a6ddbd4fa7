import { createHash } from 'node:crypto'
import type { Client } from '../client/client.ts'
import { uploadFile } from '../client/objects.ts'
import { usageError } from '../failure.ts'
import { withBundle } from './bundle.ts'
import { inspectRepository, type LocalRepository } from './local-repository.ts'

export type RepositoryInput = { url: string; ref?: string } | { bundle: { $ref: string }; ref: string }
export type PreparedRepository = { repository: RepositoryInput; base?: string; local?: LocalRepository }

export type PrepareOptions = {
  base?: string
  /** Send branches and tags along, so that the rest of the input may name them. @default false */
  names?: boolean
  /** Makes the upload the same one when it is repeated. */
  idempotencyKey?: string
  onStep?: (step: string) => void
  signal?: AbortSignal
}

/** A path is bundled and uploaded; an https address, with `#ref` if not its HEAD is meant, goes as it is. */
export const prepareRepository = async (
  client: Client,
  place: string,
  options: PrepareOptions = {},
): Promise<PreparedRepository> => {
  const { base, names, idempotencyKey, onStep, signal } = options
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(place)) return { repository: readUrl(place), ...(base && { base }) }
  const local = await inspectRepository(place, { base, signal })
  onStep?.('bundling the repository')
  const include = names ? 'names' : { commits: local.base ? [local.base] : [] }
  const object = await withBundle(place, { include, signal }, (file, size) => {
    onStep?.(`uploading ${inUnits(size)}`)
    const key = idempotencyKey && createHash('sha256').update(`${idempotencyKey} ${local.head}`).digest('hex')
    return uploadFile(client, file, { contentType: 'application/x-git-bundle', idempotencyKey: key, signal })
  })
  const repository = { bundle: object.ref, ref: local.head }
  return { repository, ...(local.base && { base: local.base }), local }
}

const inUnits = (bytes: number): string =>
  bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`

const readUrl = (place: string): RepositoryInput => {
  const url = URL.parse(place)
  if (url?.protocol !== 'https:')
    throw usageError(`${place} is not an https:// address; a repository is a path, or an https:// address`)
  if (url.username !== '' || url.password !== '')
    throw usageError('the address of the repository holds credentials: leave them out, or name a clone on this machine')
  const ref = decodeURIComponent(url.hash.slice(1))
  url.hash = ''
  return { url: url.href, ...(ref && { ref }) }
}
