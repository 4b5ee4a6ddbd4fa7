import type { Platform, Table } from '#shared/platform/platform.ts'

/** The same platform, in which something else happens just before its nth write, or just after it was stored. */
export const meanwhile = (
  platform: Platform,
  { nth, after }: { nth: number; after: boolean },
  happen: () => Promise<void>,
): { platform: Platform; happened: () => boolean } => {
  let writes = 0
  const around = (write: (...args: never[]) => Promise<unknown>) =>
    (async (...args: never[]) => {
      if (++writes !== nth) return write(...args)
      if (!after) await happen()
      const outcome = await write(...args)
      if (after) await happen()
      return outcome
    }) as never
  const main: Table = Object.create(platform.main, {
    write: { value: around(platform.main.write.bind(platform.main) as never) },
    transact: { value: around(platform.main.transact.bind(platform.main) as never) },
  })
  return { platform: { ...platform, main }, happened: () => writes >= nth }
}
