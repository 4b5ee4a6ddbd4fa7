import { compare, parse, type SemVer } from 'semver'
import type { Git } from '../repository/git.ts'

/** A tag that names a version. */
export type VersionTag = { tag: string; prefix: string; version: SemVer }

const tagPattern = /^(|.*[@/_-])v?(\d+\.\d+(?:\.\d+(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?)?)$/

/** `v1.2.3`, `1.2`, `name@1.2.3`; `undefined` for every other tag. */
export const readTag = (tag: string): VersionTag | undefined => {
  const [, prefix = '', text = ''] = tagPattern.exec(tag) ?? []
  const version = parse(/^\d+\.\d+$/.test(text) ? `${text}.0` : text)
  return version ? { tag, prefix, version } : undefined
}

/** Bare versions; else those of the only prefix there is. Several packages in one repository have no common version. */
const ofOneLine = (tags: VersionTag[]): VersionTag[] => {
  const bare = tags.filter(({ prefix }) => prefix === '')
  if (bare.length > 0) return bare
  return new Set(tags.map(({ prefix }) => prefix)).size === 1 ? tags : []
}

const latestOf = (tags: VersionTag[]): VersionTag | undefined =>
  ofOneLine(tags).toSorted((one, other) => compare(other.version, one.version))[0]

const tagsBy = async (git: Git, ...args: string[]): Promise<VersionTag[]> => {
  const tags: VersionTag[] = []
  for await (const line of git.lines('tag', '--format=%(refname:strip=2)', ...args)) {
    const tag = readTag(line)
    if (tag) tags.push(tag)
  }
  return tags
}

/** The highest version that is tagged on a commit or before it. */
export const latestVersion = async (git: Git, commit: string): Promise<VersionTag | undefined> =>
  latestOf(await tagsBy(git, '--merged', commit))

/** The highest version that is tagged before a commit and not on it. */
export const versionBefore = async (git: Git, commit: string): Promise<VersionTag | undefined> => {
  const onIt = new Set((await tagsBy(git, '--points-at', commit)).map(({ tag }) => tag))
  return latestOf((await tagsBy(git, '--merged', commit)).filter(({ tag }) => !onIt.has(tag)))
}
