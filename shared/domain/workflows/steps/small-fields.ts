export type FieldLimits = { field: number; all: number }

/** The fields of a value that expressions can look at beside its reference. */
export const smallFields = (value: unknown, { field: most, all }: FieldLimits): Record<string, unknown> => {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return {}
  let left = all
  const small = Object.entries(value).filter(([, field]) => {
    const size = Buffer.byteLength(JSON.stringify(field) ?? '')
    const fits = size <= most && size <= left
    if (fits) left -= size
    return fits
  })
  return Object.fromEntries(small)
}
