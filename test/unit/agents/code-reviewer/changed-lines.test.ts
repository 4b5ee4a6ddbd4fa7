import { afterEach, describe, expect, it } from 'vitest'
import { changesSince } from '#agent/agents/code-reviewer/source/changed-lines.ts'
import { createGit } from '#agent/agents/repository/git.ts'
import { aRepository, type TestRepository } from '#test/support/git-repository.ts'

const made: TestRepository[] = []
afterEach(() => {
  for (const one of made.splice(0)) one.remove()
})
const aRepositoryWith = (...given: Parameters<typeof aRepository>) => {
  const repository = aRepository(...given)
  made.push(repository)
  return repository
}
const changes = ({ folder }: TestRepository, base: string) =>
  changesSince(createGit({ folder, home: folder }), base, 'HEAD')
const numbered = (count: number) => Array.from({ length: count }, (_one, index) => `line ${index + 1}\n`)

describe('the lines that changed', () => {
  it('are the added and replaced ones, by their new numbers', async () => {
    const lines = numbered(10)
    const repository = aRepositoryWith({ 'a.txt': lines.join(''), 'same.txt': 'x\n' })
    repository.git('branch', 'base')
    lines[1] = 'replaced\n'
    lines.splice(5, 1)
    lines.push('added\n', 'and added\n')
    repository.commit({ 'a.txt': lines.join(''), 'new.txt': 'one\ntwo\n' })
    const { touches, has } = await changes(repository, 'base')
    const touched = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11].filter((line) => touches('a.txt', line))
    expect(touched).toEqual([2, 10, 11])
    expect([has('a.txt'), has('new.txt'), has('same.txt')]).toEqual([true, true, false])
    expect(touches('a.txt', 1, 2)).toBe(true)
    expect(touches('a.txt', 3, 9)).toBe(false)
    expect(touches('new.txt', 2)).toBe(true)
  })

  it('count from the common ancestor, not from what the base became since', async () => {
    const repository = aRepositoryWith({ 'a.txt': 'one\n', 'b.txt': 'one\n' })
    const ancestor = repository.git('rev-parse', 'HEAD')
    repository.git('switch', '--quiet', '--create', 'feature')
    repository.commit({ 'a.txt': 'one\ntwo\n' })
    repository.git('switch', '--quiet', 'main')
    repository.commit({ 'b.txt': 'changed on main\n' })
    repository.git('switch', '--quiet', 'feature')
    const found = await changes(repository, 'main')
    expect(found.base).toBe(ancestor)
    expect([found.has('a.txt'), found.has('b.txt')]).toEqual([true, false])
  })

  it('are none of a file that only moved', async () => {
    const content = numbered(20).join('')
    const repository = aRepositoryWith({ 'a.txt': content })
    repository.git('branch', 'base')
    repository.git('mv', 'a.txt', 'b.txt')
    repository.commit({ 'b.txt': `${content}more\n` })
    const { touches } = await changes(repository, 'base')
    expect([touches('b.txt', 20), touches('b.txt', 21)]).toEqual([false, true])
  })

  it('are found in files with blanks, quotes, tabs and other alphabets in their names', async () => {
    const repository = aRepositoryWith({ 'x.txt': 'x\n' })
    repository.git('branch', 'base')
    const names = ['a b.txt', 'quo"te.txt', 'ta\tb.txt', 'übung/näme.txt', 'back\\slash.txt']
    repository.commit(Object.fromEntries(names.map((name) => [name, 'x\n'])))
    const { touches } = await changes(repository, 'base')
    expect(names.filter((name) => touches(name, 1))).toEqual(names)
  })

  it('are not confused by content that looks like a diff, or by lone carriage returns', async () => {
    const repository = aRepositoryWith({ 'a.txt': '-- b/evil\n@@ -1 +1 @@\nx\n', 'z.txt': 'z\n' })
    repository.git('branch', 'base')
    repository.commit({ 'a.txt': '++ b/evil\n@@ -1,2 +1,99 @@\ny\r++ b/evil\r\n', 'z.txt': 'no newline at the end' })
    const { has, touches } = await changes(repository, 'base')
    expect(has('evil')).toBe(false)
    expect([touches('a.txt', 3), touches('a.txt', 4), touches('z.txt', 1)]).toEqual([true, false, true])
  })

  it('cannot be told without a base that exists and shares history', async () => {
    const repository = aRepositoryWith({ 'a.txt': 'x\n' })
    await expect(changes(repository, 'nowhere')).rejects.toMatchObject({
      retryable: false,
      message: 'the base nowhere is not in the repository',
    })
    repository.git('switch', '--quiet', '--orphan', 'other')
    repository.commit({ 'b.txt': 'y\n' })
    await expect(changes(repository, 'main')).rejects.toMatchObject({
      retryable: false,
      message: /have no common ancestor/,
    })
  })
})
