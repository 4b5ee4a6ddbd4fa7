import type { Client } from '../client/client.ts'
import { uploadFile } from '../client/objects.ts'
import { usageError } from '../failure.ts'
import { inspectRepository, type LocalRepository, withBundle } from './bundle.ts'

export type RepositoryInput = { url: string; ref?: string } | { bundle: { $ref: string }; ref: string }
export type PreparedRepository = { repository: RepositoryInput; base?: string; local?: LocalRepository }

const isUrl = (place: string): boolean => /^[a-z][a-z0-9+.-]*:\/\//i.test(place)

/** A path is bundled and uploaded; an https address goes as it is. */
export const prepareRepository = async (client: Client, place: string, base?: string): Promise<PreparedRepository> => {
  if (isUrl(place)) {
    if (!place.startsWith('https://'))
      throw usageError(`${place} is not an https address; a repository is a path or an https address`)
    return { repository: { url: place }, ...(base && { base }) }
  }
  const local = await inspectRepository(place, base)
  const object = await withBundle(place, (file) => uploadFile(client, file, 'application/x-git-bundle'))
  return {
    repository: { bundle: { $ref: object.id }, ref: local.head },
    ...(local.base && { base: local.base }),
    local,
  }
}
