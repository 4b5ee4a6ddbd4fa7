type Version = { core: [number, number, number]; pre: string[] }

const pattern = /^(\d+)\.(\d+)\.(\d+)(?:-([0-9A-Za-z.-]+))?$/

const parse = (text: string): Version | undefined => {
  const [, major, minor, patch, pre] = pattern.exec(text) ?? []
  if (major === undefined) return undefined
  return { core: [Number(major), Number(minor), Number(patch)], pre: pre === undefined ? [] : pre.split('.') }
}

const isNumber = (part: string): boolean => /^\d+$/.test(part)

const comparePart = (a: string, b: string): number => {
  if (isNumber(a) && isNumber(b)) return Number(a) - Number(b)
  if (isNumber(a) !== isNumber(b)) return isNumber(a) ? -1 : 1
  return a === b ? 0 : a < b ? -1 : 1
}

/** Precedence of https://semver.org/#spec-item-11; what has a pre-release comes before what has none. */
const compare = (a: Version, b: Version): number => {
  for (const [at, part] of a.core.entries()) if (part !== b.core[at]) return part - (b.core[at] ?? 0)
  if (a.pre.length === 0 || b.pre.length === 0) return b.pre.length - a.pre.length
  for (const [at, part] of a.pre.entries()) {
    const other = b.pre[at]
    const order = other === undefined ? 1 : comparePart(part, other)
    if (order !== 0) return order
  }
  return a.pre.length - b.pre.length
}

const holds: Record<string, (order: number) => boolean> = {
  '': (order) => order === 0,
  '=': (order) => order === 0,
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
  '>': (order) => order > 0,
  '>=': (order) => order >= 0,
}

type Comparator = { operator: string; bound: Version }

const parseComparators = (set: string): (Comparator | undefined)[] =>
  set
    .split(' ')
    .filter((text) => text !== '' && text !== '*')
    .map((text) => {
      const [, operator = '', version = ''] = /^(<=|>=|<|>|=)?(.*)$/.exec(text) ?? []
      const bound = parse(version)
      return bound && { operator, bound }
    })

const sameCore = (a: Version, b: Version): boolean => a.core.every((part, at) => part === b.core[at])

/** A pre-release is in a set only where the set names a pre-release of the same version. */
const fits = (version: Version, set: string): boolean => {
  const comparators = parseComparators(set)
  const named = comparators.some((one) => one && one.bound.pre.length > 0 && sameCore(one.bound, version))
  if (version.pre.length > 0 && !named) return false
  return comparators.every((one) => one !== undefined && holds[one.operator]?.(compare(version, one.bound)))
}

/**
 * Whether a version is in a range of plain comparators, such as `>=1.2.0 <2.0.0-0 || 3.1.4`: what every range of semantic
 * versions comes down to, and what the edges make of it.
 */
export const inRange = (version: string, range: string): boolean => {
  const parsed = parse(version)
  return parsed !== undefined && range.split('||').some((set) => fits(parsed, set))
}
