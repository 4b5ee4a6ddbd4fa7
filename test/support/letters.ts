import { newId } from '#shared/domain/ids.ts'
import type { Inbox } from '#shared/domain/inboxes/letter.ts'
import type { Carrier } from '#shared/domain/messages/deliver-message.ts'
import type { Envelope } from '#shared/domain/messages/envelope.ts'
import type { Platform } from '#shared/platform/platform.ts'

/** An inbox of nobody's. */
export const anInbox = (platform: Pick<Platform, 'clock' | 'random'>, more: Partial<Inbox> = {}): Inbox => ({
  tenant: 'default',
  id: newId('que', platform),
  visibilityMs: 30_000,
  mostReceives: 5,
  most: 1000,
  ...more,
})

/** A message on its way into an inbox, as small as it can be. */
export const aCarrier = (platform: Pick<Platform, 'clock' | 'random'>, more: Partial<Envelope> = {}): Carrier => {
  const id = newId('msg', platform)
  return {
    tenant: 'default',
    envelope: { id, type: 'note', source: 'test', time: platform.clock.now(), ...more },
    data: { in: 'head', value: null },
    dataPk: `default#message#${id}`,
    hops: [],
    sent: id,
    stamp: { actor: 'test', action: 'test', request: 'test' },
  }
}
