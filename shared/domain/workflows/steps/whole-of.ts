import type { Platform } from '../../../platform/platform.ts'
import { loadBody } from '../../bodies/body.ts'
import { digest } from '../../ids.ts'
import { isValue, type ObjectRecord, objectKey } from '../../objects/object.ts'
import { outlineLimits, refOf } from './small-fields.ts'

type Whole = { id: string; value: unknown; isChanged: boolean }

/**
 * The whole that an outline is of, with the fields that somebody laid over it; none of what a caller uploaded, nor of
 * what is larger.
 */
export const wholeOf = async (
  ports: Pick<Platform, 'main' | 'objects'>,
  tenant: string,
  given: unknown,
  mostBytes = outlineLimits.whole,
): Promise<Whole | undefined> => {
  const id = refOf(given)
  const record = id && (await ports.main.get<ObjectRecord>(objectKey(tenant, id)))?.value
  if (!id || !record || !isValue(record) || Number(record.size) > mostBytes) return undefined
  const body = { in: 'object' as const, id, size: Number(record.size) }
  const value = await loadBody(ports, { tenant, pk: objectKey(tenant, id).pk, body })
  const { $ref: _, ...fields } = given as Record<string, unknown>
  const known = Object(value) as Record<string, unknown>
  const isChanged = Object.entries(fields).some(([name, field]) => digest(field) !== digest(known[name]))
  if (!isChanged) return { id, value, isChanged }
  const isList = value === null || typeof value !== 'object' || Array.isArray(value)
  return isList ? undefined : { id, value: { ...value, ...fields }, isChanged }
}
