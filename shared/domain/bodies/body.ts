import type { Item, Platform } from '../../platform/platform.ts'
import type { Stamp } from '../caller.ts'
import { digest, idFromKey } from '../ids.ts'
import { objectItem, objectKey } from '../objects/object.ts'

/**
 * Where an input, checkpoint or result is kept: in the head when it is tiny, in an item of its own up to 32 KiB,
 * else in `Objects`. Callers never notice.
 */
export type Body =
  | { in: 'head'; value: unknown }
  | { in: 'item'; sk: string; size: number }
  | { in: 'object'; id: string; size: number }

/** A body that is kept in the head has so much at most. */
export const headLimit = 512
/** Above it a body goes to `Objects`, and a task shows `resultRef` instead of `result`. */
export const itemLimit = 32 * 1024

/** A body on its way into the store: `items` must be written together with the head that points to it. */
export type PlannedBody = { body: Body; items: Item[] }

type Given = { tenant: string; pk: string; sk: string; value: unknown; stamp: Stamp }
type Ports = Pick<Platform, 'objects' | 'clock'>

/**
 * Decides where a value is kept and uploads it when it is large. `sk` names it within its entity and must differ
 * for each writer (fence), so that a stale writer can never replace what a later one wrote.
 */
export const planBody = async (ports: Ports, given: Given): Promise<PlannedBody> => {
  const { pk, sk, value, stamp } = given
  const json = JSON.stringify(value ?? null)
  const size = Buffer.byteLength(json)
  if (size <= headLimit) return { body: { in: 'head', value: value ?? null }, items: [] }
  if (size <= itemLimit) {
    const item: Item = { pk, sk, type: 'body', value: { json: value, stamp } }
    return { body: { in: 'item', sk, size }, items: [item] }
  }
  return planObject(ports, given)
}

/** The same in `Objects`, however small it is. */
export const planObject = async (
  { objects, clock }: Ports,
  { tenant, pk, sk, value, stamp }: Given,
): Promise<PlannedBody & { body: { in: 'object' } }> => {
  const json = JSON.stringify(value ?? null)
  const size = Buffer.byteLength(json)
  const id = idFromKey('obj', tenant, `${pk} ${sk} ${digest(value)}`)
  const contentType = 'application/json'
  await objects.put({ tenant, id }, Buffer.from(json), { contentType })
  const record = { id, tenant, contentType, size, declared: digest(sk), createdAt: clock.now(), stamp }
  return { body: { in: 'object', id, size }, items: [objectItem(record)] }
}

/** The value again. */
export const loadBody = async (
  { main, objects }: Pick<Platform, 'main' | 'objects'>,
  { tenant, pk, body }: { tenant: string; pk: string; body: Body | undefined },
): Promise<unknown> => {
  if (body === undefined) return null
  if (body.in === 'head') return body.value
  if (body.in === 'item') return (await main.get<{ json: unknown }>({ pk, sk: body.sk }))?.value.json ?? null
  const found = await objects.get({ tenant, id: body.id })
  if (found === undefined) throw new Error(`the body ${body.id} of ${pk} is gone`)
  return JSON.parse(await new Response(found.body).text())
}

/** Deletes a value to which nothing points any more: its bytes first, so that what is left of it can be found. */
export const deleteBody = async (
  { main, objects }: Pick<Platform, 'main' | 'objects'>,
  { tenant, pk, body }: { tenant: string; pk: string; body: Body | undefined },
): Promise<void> => {
  if (body === undefined || body.in === 'head') return
  if (body.in === 'object') await objects.delete({ tenant, id: body.id })
  const key = body.in === 'item' ? { pk, sk: body.sk } : objectKey(tenant, body.id)
  await main.write({ op: 'delete', key, expect: 'any' })
}
