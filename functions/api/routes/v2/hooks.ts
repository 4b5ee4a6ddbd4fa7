import type { HookResponse } from '#shared/contracts/hooks.ts'
import type { OperationOf } from '#shared/contracts/operations.ts'
import { deleteHook, makeHook, rotateHook } from '#shared/domain/hooks/change-hook.ts'
import type { Hook } from '#shared/domain/hooks/hook.ts'
import { getHook, listHooks } from '#shared/domain/hooks/hook-store.ts'
import { receiveHook } from '#shared/domain/hooks/receive-hook.ts'
import type { Stored } from '#shared/platform/platform.ts'
import { idempotencyKey, ifMatch, iso, toETag } from '../../headers.ts'
import { hookReaders } from '../../hook-readers.ts'
import type { Handler } from '../../operation.ts'

const pathOf = (name: string): string => `/api/v2/hooks/${name}`

const toHook = (hook: Hook, secret?: string): HookResponse => {
  const { id, name, scheme, topic, description, createdAt, updatedAt } = hook
  const [until] = hook.secrets.flatMap((one) => one.until ?? [])
  return {
    id,
    name,
    path: pathOf(name),
    scheme,
    topic,
    ...(description !== undefined && { description }),
    ...(secret !== undefined && { secret }),
    ...(until !== undefined && { previousSecretUntil: iso(until) }),
    createdAt: iso(createdAt),
    updatedAt: iso(updatedAt),
  }
}

const reply = (status: number, { value, rev }: Stored<Hook>, secret?: string) => ({
  status,
  body: toHook(value, secret),
  headers: { etag: toETag(rev), ...(status === 201 && { location: pathOf(value.name) }) },
})

const create: Handler<OperationOf<'createHook'>> = async ({ platform }, { caller, body, headers }) => {
  const { made, secret } = await makeHook(platform, caller, { ...body, idempotencyKey: idempotencyKey(headers) })
  return reply(201, made, secret)
}

const list: Handler<OperationOf<'listHooks'>> = async ({ platform }, { caller, query }) => {
  const page = await listHooks(platform, caller.tenant, query)
  return {
    status: 200,
    body: { items: page.items.map(({ value }) => toHook(value)), nextCursor: page.cursor ?? null },
  }
}

const get: Handler<OperationOf<'getHook'>> = async ({ platform }, { caller, params }) =>
  reply(200, await getHook(platform, caller.tenant, params.hook ?? ''))

const remove: Handler<OperationOf<'deleteHook'>> = async ({ platform }, { caller, params, headers }) => {
  await deleteHook(platform, caller, params.hook ?? '', ifMatch(headers))
  return { status: 204 }
}

const rotate: Handler<OperationOf<'rotateHookSecret'>> = async ({ platform }, { caller, params, body, headers }) => {
  const wish = { ...body, idempotencyKey: idempotencyKey(headers) }
  const { hook, secret } = await rotateHook(platform, caller, params.hook ?? '', wish)
  return reply(200, hook, secret)
}

const receive: Handler<OperationOf<'receiveHook'>> = async ({ platform }, { caller, params, body, headers }) => {
  const { hook: name = '' } = params
  const request = { name, body, headers: Object.fromEntries(headers), requestId: caller.requestId }
  return { status: 202, body: await receiveHook(platform, hookReaders, request) }
}

export const hookHandlers = {
  createHook: create,
  listHooks: list,
  getHook: get,
  deleteHook: remove,
  rotateHookSecret: rotate,
  receiveHook: receive,
}
