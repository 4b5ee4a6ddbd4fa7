import type { Key } from '#shared/platform/platform.ts'

export type Entry = { sk: string; id: string }

/** Items by partition, in the order of their sort keys. */
export const createPlaces = () => {
  const partitions = new Map<string, Entry[]>()
  const placeOf = new Map<string, Key>()

  /** Where an entry is, or belongs. */
  const find = (entries: Entry[], sk: string, id: string): number => {
    let [low, high] = [0, entries.length]
    while (low < high) {
      const middle = (low + high) >> 1
      const entry = entries[middle] as Entry
      if (entry.sk < sk || (entry.sk === sk && entry.id < id)) low = middle + 1
      else high = middle
    }
    return low
  }
  return {
    list: (pk: string): readonly Entry[] => partitions.get(pk) ?? [],
    /** Puts an item at a place; without one it is taken out. */
    move(id: string, place: Key | undefined): void {
      const before = placeOf.get(id)
      if (before === place || (before?.pk === place?.pk && before?.sk === place?.sk)) return
      if (before) {
        const entries = partitions.get(before.pk) ?? []
        entries.splice(find(entries, before.sk, id), 1)
        placeOf.delete(id)
      }
      if (place === undefined) return
      const entries = partitions.get(place.pk) ?? []
      partitions.set(place.pk, entries)
      entries.splice(find(entries, place.sk, id), 0, { sk: place.sk, id })
      placeOf.set(id, place)
    },
  }
}
export type Places = ReturnType<typeof createPlaces>
