import { readSource, sourceOf } from '../source/read-source.ts'
import { checkShape } from './check-shape.ts'
import { sureStartsOf } from './check-workflows.ts'
import type { StoredVersion } from './known.ts'

/** What is known of a version by its definition, as that was given. */
export const readStored = (given: unknown): StoredVersion => {
  const source = typeof given === 'string' ? readSource(given).source : sourceOf(given)
  const { definition } = checkShape(source.value)
  return definition ? { input: definition.input, starts: sureStartsOf(definition) } : { starts: [] }
}
