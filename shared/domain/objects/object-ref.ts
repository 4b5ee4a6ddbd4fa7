import type { Platform } from '../../platform/platform.ts'
import { invalid } from '../domain-error.ts'
import { idPattern } from '../ids.ts'

export type ObjectRef = { $ref: string }

const isId = idPattern('obj')

/** Whether a value stands for an object of `Objects`: `{"$ref": "obj_…"}` and nothing else. */
export const isObjectRef = (value: unknown): value is ObjectRef =>
  value !== null &&
  typeof value === 'object' &&
  '$ref' in value &&
  typeof value.$ref === 'string' &&
  isId.test(value.$ref) &&
  Object.keys(value).length === 1

/** `INVALID` when a value stands for an object that has no content. */
export const requireContent = async (
  { objects }: Pick<Platform, 'objects'>,
  tenant: string,
  { value, pointer }: { value: unknown; pointer: string },
): Promise<void> => {
  if (!isObjectRef(value) || (await objects.stat({ tenant, id: value.$ref })) !== undefined) return
  throw invalid(`${pointer}/$ref`, 'NO_CONTENT', `object ${value.$ref} has no content; upload it first`)
}
