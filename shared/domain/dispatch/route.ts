import type { Requirements, RoutedCandidate, Target } from '../tasks/task.ts'
import { type Able, hasLabels, type Labels, unmetBy } from './requirements.ts'

/** What the last attempts of an agent were like: the share that succeeded, and how long those took; 0: none did. */
export type Performance = { success: number; latencyMs: number }

/** One version of one agent that offers a capability. */
export type Candidate = Target &
  Omit<Able, 'version'> & {
    /** Share of new tasks among the versions of one agent, 0–100. */
    weight: number
    /** Slots of the live instances that meet the requirements. */
    slots: number
    /** Tasks that wait for or run on it. */
    backlog: number
    /** Absent: nothing is known of late. */
    performance?: Performance
  }

export type Wish = {
  requirements?: Requirements
  labels?: Labels
  /** The root of the task's tree: all of it goes to one version of an agent. */
  root: string
}

/** `chosen` is absent when nobody meets the requirements; `unmet` says why of each. */
export type Decision = { chosen?: Candidate; scored: RoutedCandidate[]; unmet: string[] }

/** 0 ≤ n < 1, the same for the same text: FNV-1a, mixed once more so that its high bits depend on the last letters. */
export const shareOf = (text: string): number => {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32
}

/** One by weight; those of weight 0 get nothing. `share` is 0 ≤ n < 1. */
export const byWeight = <T>(all: T[], weightOf: (one: T) => number, share: number): T | undefined => {
  const open = all.filter((one) => weightOf(one) > 0)
  let ticket = share * open.reduce((sum, one) => sum + weightOf(one), 0)
  for (const one of open) {
    ticket -= weightOf(one)
    if (ticket < 0) return one
  }
  return open.at(-1)
}

/** Even an agent that failed of late is tried now and then: the others fill up meanwhile. */
const leastSuccess = 0.05

/** Work per slot; without any slot the whole backlog counts, plus the wait for a start. */
const pressure = ({ slots, backlog }: Candidate): number => (slots > 0 ? backlog / slots : backlog + 1)

/**
 * How good a choice it is, 0–1.2: little work per slot, recent success, how quick it is beside the quickest, and labels
 * that it has in common with the task.
 */
export const scoreOf = (
  candidate: Candidate,
  { quickestMs, labels }: { quickestMs: number; labels?: Labels },
): number => {
  const { performance } = candidate
  const success = Math.max(leastSuccess, performance?.success ?? 1)
  const speed = performance?.latencyMs ? Math.sqrt(Math.min(1, quickestMs / performance.latencyMs)) : 1
  const wanted = Object.entries(labels ?? {})
  const common = wanted.filter(([key, value]) => hasLabels({ [key]: value }, candidate.labels)).length
  const affinity = 1 + (wanted.length > 0 ? (0.2 * common) / wanted.length : 0)
  return (success ** 2 * speed * affinity) / (1 + pressure(candidate))
}

/** So many candidates are kept with the decision. */
const mostKept = 5
const rounded = (score: number): number => Math.round(score * 1000) / 1000

/**
 * Of every agent one version, by weight and the same for all tasks of a tree; of those the one with the best score.
 * Requirements are met or the candidate is none. `random` (0 ≤ n < 1) decides between equals.
 */
export const route = (candidates: Candidate[], wish: Wish, random: number): Decision => {
  const problems = candidates.map((one) => unmetBy(one, wish.requirements))
  const able = candidates.filter((_, at) => problems[at] === undefined)
  const versions = [...Map.groupBy(able, ({ agent }) => agent).values()]
  const share = shareOf(wish.root)
  const open = versions.map((of) => byWeight(of, ({ weight }) => weight, share)).filter((one) => one !== undefined)
  const quickestMs = Math.min(...open.map(({ performance }) => performance?.latencyMs || Number.POSITIVE_INFINITY))
  const scored = open
    .map((one) => ({ one, score: scoreOf(one, { quickestMs, labels: wish.labels }) }))
    .sort((a, b) => b.score - a.score)
  const best = scored.filter(({ score }) => score === scored[0]?.score)
  return {
    chosen: best[Math.floor(random * best.length)]?.one,
    scored: scored
      .slice(0, mostKept)
      .map(({ one, score }) => ({ agent: one.agentName, version: one.version, score: rounded(score) })),
    unmet: candidates.flatMap(({ agentName }, at) => (problems[at] ? [`${agentName}: ${problems[at]}`] : [])),
  }
}
