import type { CloudEvent, Platform } from '../../platform/platform.ts'
import { loadBody } from '../bodies/body.ts'
import { toCloudEvent } from '../messages/envelope.ts'
import type { Publication } from './publication.ts'
import { publicationPk } from './topic-store.ts'

/** The event of a publication with its data. */
export const loadEvent = async (
  ports: Pick<Platform, 'main' | 'objects'>,
  publication: Publication,
): Promise<CloudEvent> => {
  const { tenant, id, data: body } = publication
  return toCloudEvent(publication, await loadBody(ports, { tenant, pk: publicationPk(tenant, id), body }))
}
