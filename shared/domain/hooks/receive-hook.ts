import type { Platform } from '../../platform/platform.ts'
import { DomainError } from '../domain-error.ts'
import { idFromKey } from '../ids.ts'
import { putOnTopic } from '../messages/put-on-topic.ts'
import { signingSecrets } from '../webhooks/webhook.ts'
import type { Hook, HookReaders, HookRequest } from './hook.ts'
import { findHook, findSeen, noteSeen } from './hook-store.ts'

type Ports = Pick<Platform, 'main' | 'objects' | 'queues' | 'clock' | 'random' | 'telemetry'>

const requireSignature = async (
  { clock }: Pick<Platform, 'clock'>,
  readers: HookReaders,
  hook: Hook,
  request: HookRequest,
): Promise<void> => {
  const secrets = signingSecrets(hook, clock.now())
  const fits = await Promise.all(secrets.map((secret) => readers[hook.scheme].verify(secret, request)))
  if (!fits.includes(true))
    throw new DomainError(
      'UNAUTHENTICATED',
      `the signature of the request is none by the ${hook.scheme} scheme with the secret of hook ${hook.name}, or is too old`,
    )
}

/** Takes what another system posts to a hook: a signed request becomes a message on the hook's topic, once. */
export const receiveHook = async (
  ports: Ports,
  readers: HookReaders,
  { name, requestId, ...request }: HookRequest & { name: string; requestId: string },
): Promise<{ message: string; duplicate: boolean }> => {
  const hook = (await findHook(ports, name))?.value
  if (hook === undefined) throw new DomainError('NOT_FOUND', `there is no hook ${name}`)
  await requireSignature(ports, readers, hook, request)
  const { delivery, type, subject, data, passed } = readers[hook.scheme].read(request)
  const { tenant, topic } = hook
  const seen = await findSeen(ports, hook, delivery)
  if (seen !== undefined) return { message: seen, duplicate: true }
  const id = idFromKey('msg', tenant, `${hook.id}\n${delivery}`)
  const envelope = { id, kind: 'event' as const, source: `hooks/${name}`, type, subject, time: ports.clock.now() }
  const by = { actor: `hook:${name}`, action: 'hook.receive', request: requestId }
  await putOnTopic(ports, tenant, { topic, envelope, data, passed }, by)
  await noteSeen(ports, hook, { delivery, message: id })
  return { message: id, duplicate: false }
}
