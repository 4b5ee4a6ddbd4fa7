type Bindings = Record<string, unknown>

const pattern = /^\s*\$([A-Za-z_]\w*)((?:\.[A-Za-z_]\w*)*)\s*$/

/**
 * Reads an expression that is nothing but a variable and names below it, such as `$states.input.a`, without the library:
 * most are. What is not there, or is in a list, is left to it: `undefined`.
 */
export const directPath = (source: string): ((bindings: Bindings) => unknown) | undefined => {
  const [, variable, rest] = pattern.exec(source) ?? []
  if (variable === undefined) return undefined
  const names = [variable, ...(rest ?? '').split('.').filter(Boolean)]
  return (bindings) => {
    let value: unknown = bindings
    for (const name of names) {
      if (value === null || typeof value !== 'object' || Array.isArray(value) || !Object.hasOwn(value, name))
        return undefined
      value = (value as Bindings)[name]
    }
    return value
  }
}
