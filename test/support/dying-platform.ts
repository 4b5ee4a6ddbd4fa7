import type { Platform, Table } from '#shared/platform/platform.ts'

/** The same platform, whose process ends for good with its nth write: before it was stored, or before it was known. */
export const dying = (platform: Platform, last: number, stored: boolean): Platform => {
  let writes = 0
  const cut = (write: (...args: never[]) => Promise<unknown>) =>
    (async (...args: never[]) => {
      if (++writes < last) return write(...args)
      if (writes === last && stored) await write(...args)
      throw new Error('the process ended')
    }) as never
  const main: Table = Object.create(platform.main, {
    write: { value: cut(platform.main.write.bind(platform.main) as never) },
    transact: { value: cut(platform.main.transact.bind(platform.main) as never) },
  })
  return { ...platform, main }
}

/** Every place to die among the first writes. */
export const deathsAmong = (writes: number): { last: number; stored: boolean }[] =>
  Array.from({ length: writes }, (_, at) => at + 1).flatMap((last) => [
    { last, stored: false },
    { last, stored: true },
  ])
