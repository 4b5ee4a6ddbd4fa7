import type { Platform } from '../../../platform/platform.ts'
import { type Body, loadBody } from '../../bodies/body.ts'
import { idPattern } from '../../ids.ts'

export type FieldLimits = { field: number; all: number }

/** The fields of a value that expressions can look at beside its reference. */
export const smallFields = (value: unknown, { field: most, all }: FieldLimits): Record<string, unknown> => {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return {}
  let left = all
  const small = Object.entries(value).filter(([name, field]) => {
    const size = Buffer.byteLength(JSON.stringify(field) ?? '')
    const whole = size + Buffer.byteLength(JSON.stringify(name)) + 2 // with a colon and a comma
    const fits = size <= most && whole <= left
    if (fits) left -= whole
    return fits
  })
  return Object.fromEntries(small)
}

export const outlineLimits = { whole: 1024 ** 2, field: 4096, all: 16_384 }

/** A reference to a large value, with its small fields beside it: expressions can look at those. */
export const outline = (value: unknown, $ref: string): Record<string, unknown> => ({
  ...smallFields(value, outlineLimits),
  $ref,
})

/** The object that a large value was kept as, of one that is told by reference. */
export const refOf = (value: unknown): string | undefined => {
  const { $ref } = Object(value) as { $ref?: unknown }
  return typeof $ref === 'string' && idPattern('obj').test($ref) ? $ref : undefined
}

/** The object that has all of it, of what expressions see as its outline. */
export const keptAs = (body: Body | undefined): { kept?: string } => (body?.in === 'object' ? { kept: body.id } : {})

/** What was kept as expressions see it: a large value as its outline. */
export const loadOutline = async (
  ports: Pick<Platform, 'main' | 'objects'>,
  { tenant, pk, body }: { tenant: string; pk: string; body: Body | undefined },
): Promise<unknown> => {
  if (body?.in === 'object' && body.size > outlineLimits.whole) return { $ref: body.id }
  const value = await loadBody(ports, { tenant, pk, body })
  return body?.in === 'object' ? outline(value, body.id) : value
}
