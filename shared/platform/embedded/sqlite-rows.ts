import { indexNames, type Stored } from '../platform.ts'
import type { RawRow } from './sqlite-messages.ts'

/** A row as the item it holds. */
export const toStored = <V>(row: RawRow): Stored<V> => {
  const index: Stored['index'] = {}
  for (const name of indexNames) {
    const [pk, sk] = [row[`${name}_pk`], row[`${name}_sk`]]
    if (typeof pk === 'string' && typeof sk === 'string') index[name] = { pk, sk }
  }
  return {
    pk: row.pk,
    sk: row.sk,
    type: row.type,
    rev: row.rev,
    value: JSON.parse(row.value) as V,
    ...(Object.keys(index).length > 0 && { index }),
    ...(row.expires_at !== null && { expiresAt: row.expires_at }),
  }
}
