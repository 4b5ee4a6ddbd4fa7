import { type Definition, definitionSchema } from '#shared/contracts/workflows/definition.ts'
import { type Finding, failing, type Path } from '../problem.ts'
import { maxSourceBytes } from '../source/read-source.ts'
import { everyStep } from '../steps.ts'
import { explain } from './explain-issue.ts'
import { type LeftOut, leaveOut } from './leave-out.ts'

export const maxSteps = 1000
export const maxLevels = 30
/** Levels of the text itself: each of steps takes a few. */
const maxNesting = 200
/** No text without aliases has as many parts: each takes two bytes of it. */
const maxParts = maxSourceBytes / 2

/**
 * A value as a definition, and what about it is none. Steps that are none are left out of it: `lost` has what they may
 * have named, `leftOut` they themselves. Without a definition there is nothing else to look at.
 */
export type Shaped = { definition?: Definition; findings: Finding[]; lost: ReadonlySet<string>; leftOut: LeftOut[] }

export const checkShape = (value: unknown): Shaped => {
  const vast = deepest(value)
  const nothing: Shaped = { findings: [], lost: new Set(), leftOut: [] }
  return vast ? { ...nothing, findings: [vast] } : shapeOfRest(value, nothing)
}

const shapeOfRest = (value: unknown, before: Shaped): Shaped => {
  const read = readShape(value)
  if ('definition' in read) {
    const limits = checkLimits(read.definition)
    return limits.length > 0 ? { ...before, findings: [...before.findings, ...limits] } : { ...before, ...read }
  }
  const findings = [...before.findings, ...read.findings]
  const rest = leaveOut(value, read.findings)
  if (rest === undefined) return { ...before, findings, leftOut: [{ value, path: [] }] }
  const [lost, leftOut] = [new Set([...before.lost, ...rest.lost]), [...before.leftOut, ...rest.leftOut]]
  return shapeOfRest(rest.value, { findings, lost, leftOut })
}

const readShape = (value: unknown): { definition: Definition } | { findings: Finding[] } => {
  const odd = notJson(value)
  if (odd.length > 0) return { findings: odd }
  const parsed = definitionSchema.safeParse(value, { reportInput: true })
  if (parsed.success) return { definition: parsed.data }
  return { findings: parsed.error.issues.flatMap((issue) => explain(issue, value)) }
}

const plain: unknown[] = [Object.prototype, Array.prototype, null]

/** What YAML can say and JSON cannot. The value is not too deep. */
const notJson = (value: unknown, path: Path = []): Finding[] => {
  if (typeof value === 'number' && !Number.isFinite(value))
    return [failing('SCHEMA', path, `JSON has no number ${value}`)]
  if (value === null || typeof value !== 'object') return []
  if (!plain.includes(Object.getPrototypeOf(value)))
    return [failing('SCHEMA', path, 'expected what JSON has: text, a number, true, false, null, a list or fields')]
  return Object.entries(value).flatMap(([key, child]) => {
    const inside = [...path, Array.isArray(value) ? Number(key) : key]
    return key === '__proto__'
      ? [failing('SCHEMA', inside, 'a field must not be named __proto__')]
      : notJson(child, inside)
  })
}

/** The first place that is too deep, or where aliases make too much of it; without recursion, whatever comes. */
const deepest = (value: unknown): Finding | undefined => {
  const open: { value: unknown; path: Path }[] = [{ value, path: [] }]
  let parts = 0
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (++parts > maxParts) return failing('TOO_LARGE', next.path, `a definition has at most ${maxParts} parts`)
    if (next.value === null || typeof next.value !== 'object') continue
    if (next.path.length >= maxNesting) return failing('TOO_DEEP', next.path, `nested deeper than ${maxNesting} levels`)
    for (const [key, child] of Object.entries(next.value)) open.push({ value: child, path: [...next.path, key] })
  }
  return undefined
}

const checkLimits = ({ steps }: Definition): Finding[] => {
  const all = everyStep(steps)
  const deep = all.find(({ level }) => level > maxLevels)
  const more = all.at(maxSteps)
  return [
    ...(more ? [failing('TOO_LARGE', more.path, `${all.length} steps; a workflow has at most ${maxSteps}`)] : []),
    ...(deep
      ? [failing('TOO_DEEP', deep.path, `steps stand inside of each other ${maxLevels} levels deep at most`)]
      : []),
  ]
}
