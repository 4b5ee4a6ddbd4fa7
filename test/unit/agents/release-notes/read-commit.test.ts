import { describe, expect, it } from 'vitest'
import { groups, isRelease } from '#agent/agents/release-notes/groups.ts'
import { readCommit } from '#agent/agents/release-notes/read-commit.ts'

const read = (message: string) => readCommit({ hash: 'a'.repeat(40), author: 'Ada', message })
const groupOf = (message: string) => groups[read(message).group].title

describe('a conventional commit', () => {
  it('tells type, scope and subject', () => {
    expect(read('feat(parser): read arrays\n\nbody')).toMatchObject({
      ...{ type: 'feat', scope: 'parser', subject: 'read arrays', group: 'features', conventional: true, breaking: [] },
    })
  })

  it.each([
    ['feat: a', 'Features'],
    ['fix: a', 'Bug Fixes'],
    ['perf(core): a', 'Performance'],
    ['docs: a', 'Documentation'],
    ['chore(deps): a', 'Dependencies'],
    ['build(deps-dev): a', 'Dependencies'],
    ['chore: a', 'Other'],
    ['ci: a', 'Other'],
    ['FEAT: a', 'Features'],
  ])('%s is among the %s', (message, title) => {
    expect(groupOf(message)).toBe(title)
  })

  it('is breaking by its mark, and the subject is the note', () => {
    expect(read('feat(api)!: drop v1')).toMatchObject({ breaking: ['drop v1'], subject: 'drop v1', scope: 'api' })
  })

  it('is breaking by its footer, whose text is the note, without trailers', () => {
    const message =
      'fix: a\n\nwhy\n\nBREAKING CHANGE: the key is called\n`id` now\nSigned-off-by: Ada <ada@example.com>'
    expect(read(message).breaking).toEqual(['the key is called\n`id` now'])
    expect(read('chore!: a\n\nBREAKING-CHANGE: told apart').breaking).toEqual(['told apart'])
  })

  it('is breaking though it has no type', () => {
    expect(read('Remove v1\n\nBREAKING CHANGE: it is gone').breaking).toEqual(['it is gone'])
    expect(read('BREAKING: Node 20 is needed').breaking).toEqual(['Node 20 is needed'])
  })
})

describe('any other commit', () => {
  it.each([
    ['Add a thing', 'Features'],
    ['Added a thing', 'Features'],
    ['Fixes the thing', 'Bug Fixes'],
    ["don't crash", 'Bug Fixes'],
    ['Speed up parsing', 'Performance'],
    ['Deprecate the thing', 'Deprecations'],
    ['Removed the thing', 'Removals and Requirements'],
    ['Require Node.js 22', 'Removals and Requirements'],
    ['Bump a from 1 to 2', 'Dependencies'],
    ['update dev dependencies', 'Dependencies'],
    ['Fix typo in readme', 'Documentation'],
    ['Add more tests', 'Other'],
    ['Fix flaky CI', 'Other'],
    ['Rename a file', 'Other'],
    ['Tests for arrays', 'Other'],
    ['Test runner', 'Changes'],
    ['Release notes', 'Changes'],
    ['The thing is different', 'Changes'],
    ['constructor', 'Changes'],
  ])('%s is among the %s', (message, title) => {
    expect(groupOf(message)).toBe(title)
    expect(read(message).conventional).toBe(false)
  })

  it('may name an area first', () => {
    expect(read('net/http: fix a leak')).toMatchObject({ scope: 'net/http', subject: 'fix a leak', group: 'fixes' })
    expect(read('toString: add a cache')).toMatchObject({
      scope: 'toString',
      subject: 'add a cache',
      group: 'features',
    })
    expect(read('A sentence. Then another: this')).toMatchObject({ subject: 'A sentence. Then another: this' })
  })

  it('may say nothing', () => {
    expect(read('\n')).toMatchObject({ subject: '(no message)', group: 'changes' })
  })
})

describe('a revert', () => {
  it.each([
    ['Revert "feat: a"\n\nThis reverts commit 1234567890abcdef.', [{ hash: '1234567890abcdef' }]],
    ['Reapply "feat: a"\n\nThis reverts commit 1234567890abcdef.', [{ hash: '1234567890abcdef' }]],
    ['revert: let us never speak of it\n\nRefs: 676104e, a215868', [{ hash: '676104e' }, { hash: 'a215868' }]],
    ['Revert "feat: a (#12)" (#13)', [{ header: 'feat: a (#12)' }]],
    ['Reapply "feat: a"', [{ header: 'Revert "feat: a"' }]],
  ])('%j names what it takes back', (message, reverts) => {
    expect(read(message)).toMatchObject({ reverts, group: 'reverts' })
  })

  it('is not a subject that only begins like one', () => {
    expect(read('Reverting is possible now')).toMatchObject({ reverts: [], group: 'changes' })
  })
})

describe('a release', () => {
  it.each(['2.0.0', 'v1.2.3-beta.1', 'chore(release): 1.2.3', 'release version 2.2.0', 'bump version to 1.2.3'])(
    'is %s',
    (header) => {
      expect(isRelease(header)).toBe(true)
    },
  )
  it.each(['support 2.0', '1.2.3 is out', 'chore: support node 22', 'bump x from 1.0.0 to 1.2.3'])(
    'is not %s',
    (header) => {
      expect(isRelease(header)).toBe(false)
    },
  )
})

it('reads hostile messages in short time', () => {
  const started = performance.now()
  for (const piece of [
    '(',
    'a(',
    'BREAKING CHANGE: ',
    '\n',
    ' ',
    '[',
    'Refs: a',
    '#1 ',
    '"',
    ': ',
    'revert ',
    'aaaaaaa, ',
  ])
    for (const before of ['', 'revert: x\n\n', 'feat: x\n\nBREAKING CHANGE: ', 'Refs: '])
      read(`${before}${piece.repeat(20_000)}`.slice(0, 20_000))
  expect(performance.now() - started).toBeLessThan(5000)
})
