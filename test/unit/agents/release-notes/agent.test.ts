import { execFileSync } from 'node:child_process'
import { afterEach, describe, expect, it } from 'vitest'
import agent from '#agent/agents/release-notes/agent.ts'
import { type NotesResult, notesInput, notesResult } from '#agent/agents/release-notes/contract.ts'
import type { Handler } from '#agent/sdk/index.ts'
import { anAgentContext } from '#test/support/agent-context.ts'
import { aRepository, type TestRepository } from '#test/support/git-repository.ts'

const handler = agent.capabilities['release.notes']?.handler as Handler
const cleanUp: (() => void)[] = []
afterEach(() => {
  for (const clean of cleanUp.splice(0)) clean()
})

const repositoryOf = (...messages: string[]): TestRepository => {
  const repository = aRepository()
  cleanUp.push(repository.remove)
  for (const message of messages) commitOrTag(repository, message)
  return repository
}
let files = 0
/** `tag: v1.0.0` tags; anything else is the message of a commit. */
const commitOrTag = (repository: TestRepository, text: string) =>
  text.startsWith('tag: ')
    ? repository.git('tag', text.slice('tag: '.length))
    : repository.commit({ [`${++files}.txt`]: '' }, text)

const contextFor = (repository: TestRepository) => {
  const ctx = anAgentContext()
  cleanUp.push(ctx.remove)
  return { ctx, bundle: ctx.upload(repository.bundle()) }
}
const notesOf = async (repository: TestRepository, range: object = {}): Promise<NotesResult> => {
  const { ctx, bundle } = contextFor(repository)
  return notesResult.parse(await handler(ctx, notesInput.parse({ repository: { bundle }, ...range })))
}
const titles = (notes: NotesResult) =>
  Object.fromEntries(notes.groups.map(({ title, entries }) => [title, entries.map((entry) => entry.subject)]))

describe('release notes of conventional commits', () => {
  it('are grouped, name breaking changes, and recommend a version', async () => {
    const repository = repositoryOf(
      ...['feat: first', 'tag: v1.2.3', 'fix(api): a leak', 'feat: arrays', 'docs: more'],
      'feat(api)!: another shape\n\nBREAKING CHANGE: `id` is a string now',
    )
    const notes = await notesOf(repository)
    const hash = (subject: string) =>
      notes.groups
        .flatMap((group) => group.entries)
        .find((entry) => entry.subject === subject)
        ?.hash.slice(0, 7)
    expect(notes.markdown).toBe(`## 2.0.0

### Breaking Changes

- another shape (${hash('another shape')})
  \`id\` is a string now

### Features

- **api:** another shape (${hash('another shape')})
- arrays (${hash('arrays')})

### Bug Fixes

- **api:** a leak (${hash('a leak')})

### Documentation

- more (${hash('more')})
`)
    expect(notes.version).toEqual({
      current: '1.2.3',
      recommended: '2.0.0',
      bump: 'major',
      reason: '1 breaking change',
    })
    expect(notes.breaking).toEqual([
      { commit: repository.git('rev-parse', 'HEAD'), summary: 'another shape', note: '`id` is a string now' },
    ])
    expect(notes).toMatchObject({ commits: 4, from: { ref: 'v1.2.3' }, to: { ref: 'main' } })
    expect(notes.groups[1]?.entries[0]).toEqual({
      ...{ hash: expect.stringMatching(/^[0-9a-f]{40}$/), subject: 'a leak', type: 'fix', scope: 'api', author: 'Ada' },
    })
    expect(JSON.stringify(notes)).not.toContain('@example.com')
  })

  it.each<[string[], string, string]>([
    [['feat: a', 'fix: b'], '1.3.0', 'minor'],
    [['fix: b'], '1.2.4', 'patch'],
    [['perf: b'], '1.2.4', 'patch'],
    [['docs: b', 'chore: c'], '1.2.3', 'none'],
    [['chore!: b'], '2.0.0', 'major'],
    [[], '1.2.3', 'none'],
  ])('of %j recommend %s', async (messages, recommended, bump) => {
    const { version } = await notesOf(
      repositoryOf('first', 'tag: v1.2.3', ...messages),
      messages.length === 0 ? { from: 'v1.2.3' } : {},
    )
    expect(version).toMatchObject({ current: '1.2.3', recommended, bump })
  })

  it.each<[string, string, string]>([
    ['v0.3.1', 'feat!: a', '0.4.0'],
    ['v0.3.1', 'feat: a', '0.3.2'],
    ['2.0.0-beta.2', 'fix: a', '2.0.0'],
    ['v1.9', 'fix: a', '1.9.1'],
    ['core@1.0.0', 'feat: a', '1.1.0'],
  ])('after %s and %s recommend %s', async (tag, message, recommended) => {
    expect((await notesOf(repositoryOf('first', `tag: ${tag}`, message))).version.recommended).toBe(recommended)
  })
})

describe('the range', () => {
  const history = ['a', 'tag: v1.0.0', 'b', 'tag: v1.1.0', 'tag: nightly', 'tag: v9', 'c', 'tag: v1.10.0', 'd']

  it('begins after the highest version before its end', async () => {
    const notes = await notesOf(repositoryOf(...history))
    expect(notes).toMatchObject({ commits: 1, from: { ref: 'v1.10.0' }, version: { current: '1.10.0' } })
  })

  it('of a version is what that version brought', async () => {
    const notes = await notesOf(repositoryOf(...history), { to: 'v1.1.0' })
    expect(notes).toMatchObject({ commits: 1, from: { ref: 'v1.0.0' }, to: { ref: 'v1.1.0' } })
    expect(titles(notes)).toEqual({ Changes: ['b'] })
  })

  it('begins at the root where no version is tagged', async () => {
    const notes = await notesOf(repositoryOf('Add a', 'b'))
    expect(notes).toMatchObject({ commits: 2, from: null, version: { current: null, recommended: '0.1.0' } })
    expect(notes.version.reason).toContain('no version is tagged')
  })

  it('does not mix the versions of several packages', async () => {
    const notes = await notesOf(repositoryOf('a', 'tag: one@1.0.0', 'tag: two@5.0.0', 'b'))
    expect(notes).toMatchObject({ commits: 2, from: null })
  })

  it('may be told, and the version is that of its beginning', async () => {
    const notes = await notesOf(repositoryOf(...history), { from: 'v1.0.0', to: 'main' })
    expect(notes).toMatchObject({ commits: 3, version: { current: '1.0.0' } })
  })

  it('is refused for good when a ref is not there', async () => {
    const refused = notesOf(repositoryOf('a'), { from: 'v7' })
    await expect(refused).rejects.toMatchObject({ code: 'UNKNOWN_REF', retryable: false })
    await expect(refused).rejects.toThrow('"v7" is not in the repository')
    await expect(notesOf(repositoryOf('a'), { to: '--output=/tmp/x' })).rejects.toMatchObject({ retryable: false })
  })

  it('leaves merges out', async () => {
    const repository = repositoryOf('Add a', 'tag: v1.0.0')
    repository.git('checkout', '--quiet', '-b', 'side')
    repository.commit({ 'side.txt': '' }, 'Add side')
    repository.git('checkout', '--quiet', 'main')
    repository.commit({ 'main.txt': '' }, 'Fix main')
    repository.git('merge', '--quiet', '--no-ff', '-m', "Merge branch 'side'", 'side')
    const notes = await notesOf(repository)
    expect(titles(notes)).toEqual({ Features: ['Add side'], 'Bug Fixes': ['Fix main'] })
  })
})

describe('what takes each other back', () => {
  it('is not told', async () => {
    const repository = repositoryOf('first', 'tag: v1.0.0', 'feat!: a', 'fix: stays')
    repository.git('revert', '--no-edit', 'HEAD~1')
    const notes = await notesOf(repository)
    expect(titles(notes)).toEqual({ 'Bug Fixes': ['stays'] })
    expect(notes).toMatchObject({ breaking: [], commits: 3, version: { bump: 'patch' } })
  })

  it('is told once it is back again', async () => {
    const repository = repositoryOf('first', 'tag: v1.0.0', 'feat: a')
    repository.git('revert', '--no-edit', 'HEAD')
    repository.git('revert', '--no-edit', 'HEAD')
    expect(titles(await notesOf(repository))).toEqual({ Features: ['a'] })
  })

  it('is found by its first line where no commit is named', async () => {
    const notes = await notesOf(repositoryOf('first', 'tag: v1.0.0', 'Add a (#1)', 'Fix b', 'Revert "Add a" (#2)'))
    expect(titles(notes)).toEqual({ 'Bug Fixes': ['Fix b'] })
  })

  it('is told as a revert when it was released before', async () => {
    const repository = repositoryOf('feat: a', 'tag: v1.0.0')
    repository.git('revert', '--no-edit', 'HEAD')
    const notes = await notesOf(repository)
    expect(titles(notes)).toEqual({ Reverts: ['Revert "feat: a"'] })
    expect(notes.version.bump).toBe('patch')
  })
})

describe('a repository without conventional commits', () => {
  it('is grouped by verbs, and the recommendation says that it guesses', async () => {
    const notes = await notesOf(
      repositoryOf('first', 'tag: 2.1.0', 'Add arrays', 'Fix a leak', 'Drop Python 3.8', '2.2.0'),
    )
    expect(titles(notes)).toEqual({
      Features: ['Add arrays'],
      'Bug Fixes': ['Fix a leak'],
      'Removals and Requirements': ['Drop Python 3.8'],
    })
    expect(notes.version).toEqual({
      ...{ current: '2.1.0', recommended: '2.2.0', bump: 'minor' },
      reason:
        '1 feature, no breaking change; 1 removal or requirement may break callers; no commit is conventional, so this is guessed from how their subjects begin',
    })
  })

  it('has one group where verbs say nothing', async () => {
    const notes = await notesOf(repositoryOf('first', 'tag: v1.0.0', 'wip', 'stuff'))
    expect(titles(notes)).toEqual({ Changes: ['stuff', 'wip'] })
    expect(notes.version.recommended).toBe('1.0.1')
  })
})

describe('large histories', () => {
  /** Straight into git: ten thousand commits take a second. */
  const grow = (repository: TestRepository, count: number) => {
    const commits = Array.from({ length: count }, (_one, at) => {
      const message = `feat(part${at % 7}): change number ${at} ${'with many words '.repeat(4)}`
      return `commit refs/heads/main\ncommitter Ada <ada@example.com> ${1_700_000_000 + at} +0000\ndata ${message.length}\n${message}\n`
    })
    execFileSync('git', ['fast-import', '--quiet', '--force'], { cwd: repository.folder, input: commits.join('') })
  }

  it('are read with progress, answered in bounds and uploaded whole', { timeout: 60_000 }, async () => {
    const repository = aRepository()
    cleanUp.push(repository.remove)
    grow(repository, 10_000)
    const { ctx, bundle } = contextFor(repository)
    const notes = notesResult.parse(await handler(ctx, notesInput.parse({ repository: { bundle } })))
    expect(notes).toMatchObject({ commits: 10_000, groups: [{ title: 'Features', count: 10_000 }] })
    expect(notes.groups[0]?.entries).toHaveLength(500)
    expect(JSON.stringify(notes).length).toBeLessThan(250_000)
    expect(
      notes.complete &&
        ctx
          .read(notes.complete)
          .toString()
          .match(/change number/g),
    ).toHaveLength(10_000)
    expect(ctx.told.progress.length).toBeGreaterThanOrEqual(10)
  })
})

it('tells nothing but text of hostile authors and subjects', async () => {
  const repository = repositoryOf('first', 'tag: v1.0.0')
  repository.git(
    '-c',
    'user.name=x',
    'commit',
    '--quiet',
    '--allow-empty',
    '--author',
    'eve@example.com <eve@example.com>',
    '-m',
    'feat(<b>): <script>alert(1)</script>',
  )
  const notes = await notesOf(repository)
  expect(notes.markdown).toContain('- **\\<b\\>:** \\<script\\>alert(1)\\</script\\>')
  expect(notes.groups[0]?.entries[0]?.author).toBe('eve')
})
