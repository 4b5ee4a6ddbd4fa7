import createPreset from 'conventional-changelog-conventionalcommits'
import { inc, type SemVer } from 'semver'
import type { Collected } from './collect.ts'
import type { Bump, Recommendation } from './contract.ts'

type WhatBump = (commits: { type: string; notes: { title: string; text: string }[] }[]) => { level: number } | null

const whatBump = (preMajor: boolean) => (createPreset({ preMajor }) as { whatBump: WhatBump }).whatBump
const levels = ['major', 'minor', 'patch'] as const
const breakingNote = { title: 'BREAKING CHANGE', text: '' }
const firstVersion = '0.1.0'
const beforeMajor = 'before 1.0.0 a breaking change is a minor release and a feature a patch'

/** One commit of each effect is enough for the preset to decide. */
const bumpOf = ({ effects, breaking }: Collected, preMajor: boolean): Bump => {
  const commits = [...effects.keys()].map((type) => ({ type, notes: [] }))
  const broken = breaking > 0 ? [{ type: 'feat', notes: [breakingNote] }] : []
  return levels[whatBump(preMajor)([...commits, ...broken])?.level ?? -1] ?? 'none'
}

const plural = (count: number, noun: string, nouns = `${noun}s`) => `${count} ${count === 1 ? noun : nouns}`

const why = ({ effects, breaking, commits }: Collected): string => {
  const features = effects.get('feat') ?? 0
  if (commits === 0) return 'nothing has changed'
  if (breaking > 0) return `${plural(breaking, 'breaking change')}`
  if (features > 0) return `${plural(features, 'feature')}, no breaking change`
  if (['fix', 'perf', 'revert'].some((effect) => effects.has(effect as 'fix'))) return 'no feature, no breaking change'
  return 'nothing that a user would notice'
}

/** What may break callers without having said so. */
const doubt = ({ counts, breaking }: Collected): string[] => {
  const removals = counts.get('removals') ?? 0
  return removals > 0 && breaking === 0
    ? [`${plural(removals, 'removal or requirement', 'removals or requirements')} may break callers`]
    : []
}

/** How sure that is. */
const trust = ({ counts, conventional }: Collected): string[] => {
  const kept = [...counts.values()].reduce((total, count) => total + count, 0)
  if (conventional === kept) return []
  if (conventional === 0) return ['no commit is conventional, so this is guessed from how their subjects begin']
  return [`${kept - conventional} of ${kept} commits are not conventional and were judged by how their subjects begin`]
}

/** The next version by the rules of the conventional-changelog preset, and why. */
export const recommend = (collected: Collected, current: SemVer | undefined): Recommendation => {
  if (current === undefined) {
    const reason = `no version is tagged yet, and ${firstVersion} is the usual first one`
    return { current: null, recommended: firstVersion, bump: collected.commits > 0 ? 'minor' : 'none', reason }
  }
  const preMajor = current.major === 0
  const bump = bumpOf(collected, preMajor)
  const early = preMajor && (collected.breaking > 0 || collected.effects.has('feat')) ? [beforeMajor] : []
  return {
    current: current.version,
    recommended: bump === 'none' ? current.version : (inc(current, bump) ?? current.version),
    bump,
    reason: [why(collected), ...early, ...doubt(collected), ...trust(collected)].join('; '),
  }
}
