/** What the conventional-changelog preset knows a commit by when it recommends a version. */
export type Effect = 'feat' | 'fix' | 'perf' | 'revert' | 'none'

type Group = { title: string; effect: Effect }

/** In the order of the notes. */
export const groups = {
  features: { title: 'Features', effect: 'feat' },
  fixes: { title: 'Bug Fixes', effect: 'fix' },
  performance: { title: 'Performance', effect: 'perf' },
  reverts: { title: 'Reverts', effect: 'revert' },
  deprecations: { title: 'Deprecations', effect: 'feat' },
  removals: { title: 'Removals and Requirements', effect: 'fix' },
  changes: { title: 'Changes', effect: 'fix' },
  dependencies: { title: 'Dependencies', effect: 'none' },
  documentation: { title: 'Documentation', effect: 'none' },
  other: { title: 'Other', effect: 'none' },
} as const satisfies Record<string, Group>
export type GroupName = keyof typeof groups

export const groupNames = Object.keys(groups) as GroupName[]

/** Types of conventional commits, and some that teams add to them. https://www.conventionalcommits.org */
const byType: Record<string, GroupName> = {
  ...{ feat: 'features', feature: 'features' },
  ...{ fix: 'fixes', bugfix: 'fixes', hotfix: 'fixes', security: 'fixes' },
  ...{ perf: 'performance', revert: 'reverts', deprecate: 'deprecations' },
  ...{ docs: 'documentation', doc: 'documentation', deps: 'dependencies' },
  ...{ chore: 'other', style: 'other', refactor: 'other', test: 'other', tests: 'other', build: 'other', ci: 'other' },
}

/** `undefined`: the word before the colon is an area, not a type. */
export const groupOfType = (type: string, scope: string | undefined): GroupName | undefined => {
  const group = Object.hasOwn(byType, type.toLowerCase()) ? byType[type.toLowerCase()] : undefined
  return group === 'other' && /^deps/.test(scope ?? '') ? 'dependencies' : group
}

/** How people begin a subject who use no types; the first row that fits decides. */
const bySubject: [RegExp, GroupName][] = [
  [/^(?:start version|prepare(?: for)?(?: the)?(?: next)? release)\b/i, 'other'],
  [
    /^(?:bump|upgrade|pin)\b|^update (?:\S+ )?(?:from \S+ )?to v?\d|\b(?:dependencies|deps|lock ?file)\b/i,
    'dependencies',
  ],
  [
    /^document(?:s|ed)?\b|\b(?:typos?|readme|docs?|documentation|docstrings?|changelog|spelling|wording)\b/i,
    'documentation',
  ],
  [/\b(?:flaky|ci|lint(?:ing|er)?|pre-commit|github actions?|workflow|test suite)\b/i, 'other'],
  [/^tests? (?:that|with|for|of|on|if|whether|against)\b/i, 'other'],
  [/^(?:format(?:ting)?|refactor|rename|clean(?: ?up)?|tidy|reorgani[sz]e|move|style|chore)\b/i, 'other'],
  [/^(?:add|adds|added) (?:\w+ )?tests?\b|\b(?:tests|tweaks?)$/i, 'other'],
  [/^(?:add|implement|introduce|support|allow|enable|provide|expose|accept|create)(?:e?d|s)?\b/i, 'features'],
  [/^(?:fix|correct|resolve|repair|prevent|avoid|handle|patch|address|don'?t|do not|ensure)(?:e?d|e?s)?\b/i, 'fixes'],
  [/^(?:speed up|optimi[sz]e|cache)(?:d|s)?\b|\b(?:performance|faster)\b/i, 'performance'],
  [/^deprecate(?:d|s)?\b/i, 'deprecations'],
  [/^(?:remove|drop|delete)(?:d|s|ped)?\b|^(?:require|raise the minimum)\b/i, 'removals'],
]

const release =
  /^(?:(?:chore\(release\)|chore|build|release):? +)?(?:(?:release|bump|start|version|to) +)*v?\d+\.\d+(?:\.\d+)?(?:[-.+]\w+)*$/i

/** A commit that only says which version it makes is no news. */
export const isRelease = (header: string): boolean => release.test(header.trim())

/** By its verb; `changes` when that says nothing. */
export const groupOfSubject = (subject: string): GroupName =>
  bySubject.find(([pattern]) => pattern.test(subject))?.[1] ?? 'changes'
