const shown = '********'
const shortest = 8

/** Replaces known secrets wherever they stand in a value; secrets that are added to the list later are known too. */
export const createMask = (secrets: readonly string[]): ((value: unknown) => unknown) => {
  const maskText = (text: string): string =>
    secrets.reduce((masked, secret) => (secret.length < shortest ? masked : masked.replaceAll(secret, shown)), text)
  const mask = (value: unknown): unknown => {
    if (typeof value === 'string') return maskText(value)
    if (Array.isArray(value)) return value.map(mask)
    if (value === null || typeof value !== 'object') return value
    return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, mask(child)]))
  }
  return mask
}
