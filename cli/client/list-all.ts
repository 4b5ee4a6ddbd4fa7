import type { Client } from './client.ts'

const pageSize = 200

/** Everything that a list has. */
export const listAll = async <T>(client: Client, path: string): Promise<T[]> => {
  const all: T[] = []
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page: { items: T[]; nextCursor: string | null } = await client.get(
      `${path}?limit=${pageSize}${cursor && `&cursor=${encodeURIComponent(cursor)}`}`,
    )
    for (const item of page.items) all.push(item)
    cursor = page.nextCursor
  }
  return all
}
