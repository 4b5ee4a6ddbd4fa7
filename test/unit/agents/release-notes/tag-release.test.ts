import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterEach, expect, it } from 'vitest'
import agent from '#agent/agents/release-notes/agent.ts'
import { tagInput, tagResult, untagInput, untagResult } from '#agent/agents/release-notes/contract.ts'
import type { Handler, ObjectRef } from '#agent/sdk/index.ts'
import { anAgentContext, type TestContext } from '#test/support/agent-context.ts'
import { aRepository, type TestRepository } from '#test/support/git-repository.ts'

const cleanUp: (() => void)[] = []
afterEach(() => {
  for (const clean of cleanUp.splice(0)) clean()
})

const repositoryOf = (...messages: string[]): TestRepository => {
  const repository = aRepository()
  cleanUp.push(repository.remove)
  for (const [at, message] of messages.entries()) repository.commit({ [`${at}.txt`]: '' }, message)
  return repository
}
const aContext = (): TestContext => {
  const ctx = anAgentContext()
  cleanUp.push(ctx.remove)
  return ctx
}
const run = async (name: string, ctx: TestContext, input: unknown): Promise<unknown> => {
  const handler = agent.capabilities[name]?.handler as Handler | undefined
  if (handler === undefined) throw new Error(`the agent does not offer ${name}`)
  return handler(ctx, input)
}
/** The tags of a clone, and what they lead to. */
const tagsOf = (repository: TestRepository, ctx: TestContext, clone: ObjectRef): Record<string, string> => {
  const file = path.join(ctx.workspace, clone.$ref)
  writeFileSync(file, ctx.read(clone))
  const lines = repository.git('ls-remote', file, 'refs/tags/*').split('\n').filter(Boolean)
  return Object.fromEntries(lines.map((line) => line.split('\t').toReversed()))
}

it('tags a clone with its notes, from which whoever publishes takes the tag; the repository stays as it is', async () => {
  const repository = repositoryOf('feat: first', 'fix: second')
  const ctx = aContext()
  const message = '## 1.0.0\n\n# not a comment'
  const input = { repository: { bundle: ctx.upload(repository.bundle()) }, tag: 'v1.0.0', message }
  const { commit, clone } = tagResult.parse(await run('release.tag', ctx, tagInput.parse(input)))
  expect(commit).toBe(repository.git('rev-parse', 'HEAD'))
  expect(repository.git('tag')).toBe('')
  expect(Object.keys(tagsOf(repository, ctx, clone))).toContain('refs/tags/v1.0.0')
  repository.git('fetch', '--quiet', path.join(ctx.workspace, clone.$ref), 'refs/tags/v1.0.0:refs/tags/v1.0.0')
  expect(repository.git('rev-parse', 'v1.0.0^{commit}')).toBe(commit)
  expect(repository.git('tag', '--list', '--format=%(contents)', 'v1.0.0')).toBe(message)
})

it('removes the tag from the clone again, and nothing else, also twice', async () => {
  const repository = repositoryOf('feat: first')
  repository.git('tag', 'v0.9.0')
  const first = aContext()
  const input = { repository: { bundle: first.upload(repository.bundle()) }, tag: 'v1.0.0', message: 'notes' }
  const tagged = tagResult.parse(await run('release.tag', first, input))
  let clone = tagged.clone
  let from = first
  for (const removed of [true, false]) {
    const ctx = aContext()
    const file = path.join(ctx.workspace, 'given')
    writeFileSync(file, from.read(clone))
    const given = untagInput.parse({ repository: { bundle: ctx.upload(file) }, tag: 'v1.0.0' })
    const result = untagResult.parse(await run('release.untag', ctx, given))
    expect(result).toMatchObject({ tag: 'v1.0.0', removed })
    expect(Object.keys(tagsOf(repository, ctx, result.clone))).toEqual(['refs/tags/v0.9.0'])
    ;[clone, from] = [result.clone, ctx]
  }
})

it('does not move a tag that is there', async () => {
  const repository = repositoryOf('feat: first')
  repository.git('tag', 'v1.0.0')
  const ctx = aContext()
  const input = { repository: { bundle: ctx.upload(repository.bundle()) }, tag: 'v1.0.0', message: 'notes' }
  await expect(run('release.tag', ctx, input)).rejects.toMatchObject({ code: 'TAG_EXISTS', retryable: false })
})

it.each(['--delete', 'a..b', 'a b', 'v1.lock', 'a~1', 'a:b', '/a', 'a/', '.a', 'a@{1}', 'a\\b', ''])(
  'takes no tag that git would not, or that could be an option: %s',
  (tag) => {
    const repository = { url: 'https://example.com/a.git' }
    expect(tagInput.safeParse({ repository, tag, message: 'notes' }).success).toBe(false)
    expect(tagInput.safeParse({ repository, tag: 'release/v1.0.0-rc.1', message: 'notes' }).success).toBe(true)
  },
)
