const units: [limit: number, seconds: number, name: string][] = [
  [120, 1, 's'],
  [7200, 60, 'min'],
  [172_800, 3600, 'h'],
  [Number.POSITIVE_INFINITY, 86_400, 'd'],
]

/** How long ago, in one unit. */
export const ago = (time: string): string => {
  const seconds = Math.max(0, Math.round((Date.now() - Date.parse(time)) / 1000))
  const [, unit, name] = units.find(([limit]) => seconds < limit) ?? [0, 1, 's']
  return `${Math.floor(seconds / unit)} ${name}`
}

/** `14:03:59Z`, in UTC as everything that the API tells. */
export const clockTime = (time: string): string => `${time.slice(11, 19)}Z`
