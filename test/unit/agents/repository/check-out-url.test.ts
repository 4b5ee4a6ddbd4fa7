import { readFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { checkOut } from '#agent/agents/repository/check-out.ts'
import { anAgentContext } from '#test/support/agent-context.ts'
import { aRepository, type TestRepository } from '#test/support/git-repository.ts'
import { type GitServer, serveGit } from './git-server.ts'

let source: TestRepository
let server: GitServer
let commits: { first: string; second: string; pull: string }

beforeAll(async () => {
  source = aRepository()
  const first = source.commit({ 'a.txt': 'one' })
  source.git('tag', 'v1')
  source.git('switch', '--quiet', '--create', 'pull')
  const pull = source.commit({ 'pull.txt': 'x' })
  source.git('update-ref', 'refs/pull/7/head', pull)
  source.git('switch', '--quiet', 'main')
  source.git('branch', '--quiet', '-D', 'pull')
  const second = source.commit({ 'a.txt': 'two' })
  source.git('branch', 'feature', first)
  source.git('config', 'uploadpack.allowAnySHA1InWant', 'true')
  commits = { first, second, pull }
  server = await serveGit(source.folder)
  process.env.GIT_SSL_CAINFO = server.certificateFile
})
afterAll(async () => {
  delete process.env.GIT_SSL_CAINFO
  await server.close()
  source.remove()
})

const contexts: { remove(): void }[] = []
afterEach(() => {
  for (const one of contexts.splice(0)) one.remove()
})

const clone = (options: { ref?: string; depth?: number; at?: string } = {}) => {
  const { ref, depth, at = 'repository.git' } = options
  const ctx = anAgentContext()
  contexts.push(ctx)
  return checkOut(ctx, { repository: { url: `${server.url}/${at}`, ref }, ...(depth !== undefined && { depth }) })
}

describe('checking out over https', () => {
  it('takes the default branch with all history, branches and tags', async () => {
    const out = await clone()
    expect(out).toMatchObject({ head: commits.second, ref: 'main' })
    expect(readFileSync(path.join(out.folder, 'a.txt'), 'utf8')).toBe('two')
    expect(await out.git.run('rev-list', '--count', 'HEAD')).toBe('2')
    expect(await out.git.run('tag')).toBe('v1')
    expect(await out.git.run('branch', '--remotes', '--format=%(refname)')).toContain('refs/remotes/origin/feature')
  })

  it('takes a branch, a tag, a short or a long hash, with and without a depth', async () => {
    for (const depth of [undefined, 1]) {
      for (const ref of ['feature', 'v1', commits.first, commits.first.slice(0, 10)]) {
        expect(await clone({ ref, ...(depth && { depth }) })).toMatchObject({ head: commits.first, ref })
      }
    }
  })

  it('takes what no branch leads to by its full name or hash', async () => {
    for (const ref of ['refs/pull/7/head', commits.pull]) {
      expect(await clone({ ref })).toMatchObject({ head: commits.pull, ref })
    }
  })

  it('fetches no more commits than asked for', async () => {
    const out = await clone({ depth: 1 })
    expect(out).toMatchObject({ head: commits.second, ref: 'main' })
    expect(await out.git.run('rev-list', '--count', '--all')).toBe('1')
  })

  it('refuses what is not there, or asks who we are, for good', async () => {
    const refused = { name: 'AgentError', retryable: false }
    await expect(clone({ ref: 'nowhere' })).rejects.toMatchObject({
      ...refused,
      message: /couldn't find remote ref nowhere/,
    })
    await expect(clone({ ref: 'nowhere', depth: 1 })).rejects.toMatchObject(refused)
    await expect(clone({ at: '401/x.git' })).rejects.toMatchObject({ ...refused, message: /Username|Authentication/ })
  })

  it('follows no redirect to an address without encryption', async () => {
    await expect(clone({ at: 'http/x.git' })).rejects.toMatchObject({ retryable: false, message: /http/ })
  })

  it('leaves troubles that may pass to another attempt', async () => {
    await expect(clone({ at: '503/x.git' })).rejects.toMatchObject({ name: 'AgentError', retryable: true })
    const ctx = anAgentContext()
    contexts.push(ctx)
    const gone = checkOut(ctx, { repository: { url: 'https://127.0.0.1:9/x.git' } })
    await expect(gone).rejects.toMatchObject({ name: 'AgentError', retryable: true })
  })

  it('trusts no certificate that the host does not', async () => {
    const before = process.env.GIT_SSL_CAINFO
    delete process.env.GIT_SSL_CAINFO
    try {
      await expect(clone()).rejects.toMatchObject({ name: 'AgentError', message: /certificate/ })
    } finally {
      process.env.GIT_SSL_CAINFO = before
    }
  })
})

describe('checking out an empty repository', () => {
  it('says that it is empty', async () => {
    const empty = aRepository()
    contexts.push(empty)
    const other = await serveGit(empty.folder)
    process.env.GIT_SSL_CAINFO = other.certificateFile
    const ctx = anAgentContext()
    contexts.push(ctx)
    try {
      const out = checkOut(ctx, { repository: { url: `${other.url}/x.git` } })
      await expect(out).rejects.toMatchObject({ retryable: false, message: /is empty/ })
    } finally {
      process.env.GIT_SSL_CAINFO = server.certificateFile
      await other.close()
    }
  })
})
