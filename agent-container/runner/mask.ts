const shown = '********'

/** Replaces known secrets wherever they stand in a value. */
export const createMask = (secrets: string[]): ((value: unknown) => unknown) => {
  const known = secrets.filter((secret) => secret.length >= 8)
  const maskText = (text: string): string => known.reduce((masked, secret) => masked.replaceAll(secret, shown), text)
  const mask = (value: unknown): unknown => {
    if (typeof value === 'string') return maskText(value)
    if (Array.isArray(value)) return value.map(mask)
    if (value === null || typeof value !== 'object') return value
    return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, mask(child)]))
  }
  return mask
}
