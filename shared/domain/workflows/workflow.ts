import type { Body } from '../bodies/body.ts'
import type { Stamp } from '../caller.ts'
import { isRefused, type Refused, refuse } from '../domain-error.ts'

/** Versions by their number, each with its share of new runs. */
export type Weights = Record<string, number>

/** A named workflow: its versions are immutable, its aliases lead new runs to them. Times are milliseconds. */
export type Workflow = {
  tenant: string
  name: string
  description?: string
  latest: number
  aliases: Record<string, Weights>
  createdAt: number
  updatedAt: number
  stamp: Stamp
}

/** A step, and the one that it is a part of. */
export type OutlineStep = { name: string; kind: string; in?: string }

/** What a definition was compiled to, with what runs have to know of it. */
export type CompiledWorkflow = {
  machines: { run: unknown; undo?: unknown }
  /** Runs go on in further executions of their machine, their legs. */
  legs?: true
  /** In the order of the text, without those that undo. */
  steps: OutlineStep[]
  /** The ones that are undone when the run does not succeed. */
  undone: string[]
  /** Those that undo them, in the order of the text. */
  undoing?: OutlineStep[]
  /** JSON Schema. */
  input?: Record<string, unknown>
}

export type WorkflowVersion = {
  tenant: string
  name: string
  version: number
  /** Digest of the source. */
  digest: string
  /** The version of its machines: of these alone, whoever else would have the number. */
  machine: string
  /** As of what it was compiled to. */
  legs?: true
  /** As it was given: text, or a value. */
  source: Body
  compiled: Body
  createdAt: number
  stamp: Stamp
}

/** The alias that runs take which name no version. */
export const defaultAlias = 'live'

/** The machine that undoes has a name of its own. */
export const undoNameOf = (name: string): string => `${name}.undo`
export const isUndoName = (name: string): boolean => name.endsWith('.undo')

/** Versions are numbered from 1, in digits. */
export const isVersionNumber = (text: string): boolean => /^[1-9]\d{0,7}$/.test(text)

/** What a run can ask for, in words. */
export const versionsIn = ({ latest, aliases }: Workflow): string =>
  [`versions 1 to ${latest}`, ...Object.keys(aliases)].join(', ')

/** The versions that a new run may take: the one named, those of an alias, else the latest. */
export const versionsFor = (workflow: Workflow, wanted: string | undefined): Weights | Refused => {
  const { name, latest, aliases } = workflow
  const alias = wanted ?? defaultAlias
  const weights = Object.hasOwn(aliases, alias) ? aliases[alias] : undefined
  if (weights !== undefined) return weights
  if (wanted === undefined) return { [latest]: 1 }
  const version = isVersionNumber(wanted) ? Number(wanted) : 0
  if (version >= 1 && version <= latest) return { [version]: 1 }
  return refuse('NOT_FOUND', `workflow ${name} has no version or alias ${wanted}; it has ${versionsIn(workflow)}`)
}

/** The version that a new run takes, of several by their weights. */
export const chooseVersion = (
  workflow: Workflow,
  wanted: string | undefined,
  random: number,
): { version: number } | Refused => {
  const weights = versionsFor(workflow, wanted)
  return isRefused(weights) ? weights : { version: byWeight(weights, random) }
}

const byWeight = (weights: Weights, random: number): number => {
  const entries = Object.entries(weights)
  let left = random * entries.reduce((sum, [, weight]) => sum + weight, 0)
  const chosen = entries.find(([, weight]) => {
    left -= weight
    return left < 0
  })
  return Number((chosen ?? entries.at(-1))?.[0])
}
