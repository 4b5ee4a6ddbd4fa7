import type { Platform } from '../../platform/platform.ts'
import { invalid } from '../domain-error.ts'
import { idPattern } from '../ids.ts'

export type ObjectRef = { $ref: string }

const isId = idPattern('obj')

const isRef = (value: unknown): value is { $ref: unknown } =>
  value !== null && typeof value === 'object' && '$ref' in value && Object.keys(value).length === 1

/** A reference of JSON Schema has a fragment, a path or an address: what is one word can only mean an object. */
const meansObject = (value: unknown): value is { $ref: unknown } =>
  isRef(value) && (typeof value.$ref !== 'string' || /^[\w-]*$/.test(value.$ref))

/** Whether a value stands for an object of `Objects`: `{"$ref": "obj_…"}` and nothing else. */
export const isObjectRef = (value: unknown): value is ObjectRef =>
  isRef(value) && typeof value.$ref === 'string' && isId.test(value.$ref)

/** `INVALID` when a value means an object by what is no id of one. */
export const requireObjectId = (value: unknown, pointer: string): void => {
  if (!meansObject(value) || isObjectRef(value)) return
  const given = JSON.stringify(value.$ref).slice(0, 100)
  throw invalid(
    `${pointer}/$ref`,
    'OBJECT_ID',
    `${given} is no id of an object; one looks like obj_01J… with 26 digits and capital letters, none of them I, L, O or U`,
  )
}

/** `INVALID` when a value means an object that is none, or that has no content. */
export const requireContent = async (
  { objects }: Pick<Platform, 'objects'>,
  tenant: string,
  { value, pointer }: { value: unknown; pointer: string },
): Promise<void> => {
  requireObjectId(value, pointer)
  if (!isObjectRef(value) || (await objects.stat({ tenant, id: value.$ref })) !== undefined) return
  throw invalid(`${pointer}/$ref`, 'NO_CONTENT', `object ${value.$ref} has no content; upload it first`)
}
