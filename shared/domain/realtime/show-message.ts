import type { Platform } from '../../platform/platform.ts'
import { type Body, loadBody } from '../bodies/body.ts'
import { type Carried, toCloudEvent } from '../messages/envelope.ts'
import type { ShownMessage } from './frame.ts'

/** A message with its data, unless that is an object of its own. */
export const showMessage = async (
  ports: Pick<Platform, 'main' | 'objects'>,
  message: Carried & { data: Body },
  pk: string,
): Promise<ShownMessage> => {
  const { tenant, data: body } = message
  if (body.in === 'object') return { message: toCloudEvent(message, null), dataRef: { $ref: body.id } }
  return { message: toCloudEvent(message, await loadBody(ports, { tenant, pk, body })) }
}
