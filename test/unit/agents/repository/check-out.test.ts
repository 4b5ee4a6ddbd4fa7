import { mkdirSync, readdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { type CheckOutOptions, checkOut, repositoryInput } from '#agent/agents/repository/check-out.ts'
import { anAgentContext } from '#test/support/agent-context.ts'
import { aRepository, type Files } from '#test/support/git-repository.ts'

const made: { remove(): void }[] = []
const remembered = <T extends { remove(): void }>(one: T): T => {
  made.push(one)
  return one
}
const repository = (files?: Files) => remembered(aRepository(files))
afterEach(() => {
  for (const one of made.splice(0)) one.remove()
})

const checkOutBundle = async (file: string, options: { ref?: string } & Partial<CheckOutOptions> = {}) => {
  const { ref, ...others } = options
  const ctx = remembered(anAgentContext())
  return checkOut(ctx, { repository: { bundle: ctx.upload(file), ref }, ...others })
}

describe('checking out an uploaded bundle', () => {
  it('takes its HEAD, and calls it by its branch, when no ref is named', async () => {
    const source = repository({ 'a.txt': 'one' })
    const head = source.commit({ 'a.txt': 'two' })
    const out = await checkOutBundle(source.bundle())
    expect(out).toMatchObject({ head, ref: 'main' })
    expect(readFileSync(path.join(out.folder, 'a.txt'), 'utf8')).toBe('two')
  })

  it('takes a branch, a tag, a short hash or an expression', async () => {
    const source = repository({ 'a.txt': 'one' })
    const first = source.git('rev-parse', 'HEAD')
    source.git('tag', '--annotate', 'v1', '--message', 'release')
    source.git('branch', 'old')
    source.commit({ 'a.txt': 'two' })
    const bundle = source.bundle()
    for (const ref of ['old', 'v1', 'refs/heads/old', first.slice(0, 9), first, 'main~1']) {
      expect(await checkOutBundle(bundle, { ref })).toMatchObject({ head: first, ref })
    }
  })

  it('keeps branches of a remote under the names they had', async () => {
    const upstream = repository({ 'a.txt': 'one' })
    const first = upstream.git('rev-parse', 'HEAD')
    const source = repository()
    source.git('remote', 'add', 'origin', upstream.folder)
    source.git('fetch', '--quiet', 'origin')
    source.commit({ 'b.txt': 'mine' })
    expect(await checkOutBundle(source.bundle(), { ref: 'origin/main' })).toMatchObject({ head: first })
  })

  it('takes the only ref of a bundle without HEAD, and asks for a name when there are several', async () => {
    const source = repository({ 'a.txt': 'one' })
    const head = source.git('rev-parse', 'HEAD')
    expect(await checkOutBundle(source.bundle('refs/heads/main'))).toMatchObject({ head, ref: 'main' })
    source.git('branch', 'other')
    const several = checkOutBundle(source.bundle('main', 'other'))
    await expect(several).rejects.toMatchObject({
      retryable: false,
      message: /name a ref, one of .*refs\/heads\/other/,
    })
  })

  it('takes the bundle of a shallow clone, whose history ends somewhere', async () => {
    const upstream = repository({ 'a.txt': 'one' })
    for (const name of ['b', 'c', 'd']) upstream.commit({ [`${name}.txt`]: name })
    const source = repository()
    source.git('fetch', '--quiet', '--depth', '2', `file://${upstream.folder}`, 'main:main', '--update-head-ok')
    const out = await checkOutBundle(source.bundle())
    expect(readdirSync(out.folder).sort()).toEqual(['.git', 'a.txt', 'b.txt', 'c.txt', 'd.txt'])
    expect(await out.git.run('rev-list', '--count', 'HEAD')).toBe('2')
  })

  it('refuses a ref that is not in it', async () => {
    const source = repository({ 'a.txt': 'one' })
    for (const ref of ['nowhere', 'f'.repeat(40)]) {
      await expect(checkOutBundle(source.bundle(), { ref })).rejects.toMatchObject({
        name: 'AgentError',
        retryable: false,
        message: `${ref} is not in the repository`,
      })
    }
  })

  it('refuses a file that is no bundle, a cut one, a changed one, and one that builds on commits it lacks', async () => {
    const source = repository({ 'a.txt': 'x'.repeat(5000) })
    const cut = source.bundle()
    truncateSync(cut, readFileSync(cut).length - 30)
    source.commit({ 'b.txt': 'y' })
    const changed = source.bundle()
    const bytes = readFileSync(changed)
    bytes[bytes.length - 40] = (bytes[bytes.length - 40] ?? 0) ^ 255
    writeFileSync(changed, bytes)
    source.commit({ 'c.txt': 'z' })
    const thin = source.bundle('main~1..main')
    const other = path.join(source.folder, 'a.txt')
    for (const file of [other, cut, changed, thin]) {
      await expect(checkOutBundle(file)).rejects.toMatchObject({
        name: 'AgentError',
        retryable: false,
        message: /^the bundle obj_\d+ cannot be read: /,
      })
    }
  })

  it('runs no hook or filter, asks no configuration of the host, and leaves submodules alone', async () => {
    const source = repository({
      '.gitattributes': '*.txt filter=evil\n',
      '.gitmodules': '[submodule "s"]\n\tpath = s\n\turl = https://example.com/s.git\n',
      'a.txt': 'as it is',
    })
    const home = remembered(repository()).folder
    const marker = path.join(home, 'marker')
    writeFileSync(path.join(home, '.gitconfig'), evilConfiguration(home, marker))
    mkdirSync(path.join(home, 'hooks'))
    writeFileSync(path.join(home, 'hooks/post-checkout'), `#!/bin/sh\ntouch ${marker}\n`, { mode: 0o755 })
    const before = { HOME: process.env.HOME, GIT_CONFIG_GLOBAL: process.env.GIT_CONFIG_GLOBAL }
    Object.assign(process.env, { HOME: home, GIT_CONFIG_GLOBAL: path.join(home, '.gitconfig') })
    try {
      const out = await checkOutBundle(source.bundle())
      expect(readFileSync(path.join(out.folder, 'a.txt'), 'utf8')).toBe('as it is')
    } finally {
      for (const [name, value] of Object.entries(before)) {
        if (value === undefined) delete process.env[name]
        else process.env[name] = value
      }
    }
    expect(readdirSync(home)).not.toContain('marker')
  })

  it('writes links as files that hold their target, unless links are wanted', async () => {
    const source = repository({ 'a.txt': 'one' })
    symlinkSync('/etc/passwd', path.join(source.folder, 'link'))
    source.commit({})
    const bundle = source.bundle()
    const plain = await checkOutBundle(bundle)
    expect(readFileSync(path.join(plain.folder, 'link'), 'utf8')).toBe('/etc/passwd')
    const linked = await checkOutBundle(bundle, { symlinks: true })
    expect(readdirSync(linked.folder, { withFileTypes: true }).some((entry) => entry.isSymbolicLink())).toBe(true)
  })

  it('ends when the task is cancelled', async () => {
    const source = repository({ 'a.txt': 'one' })
    const ctx = remembered(anAgentContext())
    const bundle = ctx.upload(source.bundle())
    ctx.abort()
    await expect(checkOut(ctx, { repository: { bundle } })).rejects.toMatchObject({ name: 'AbortError' })
  })
})

const evilConfiguration = (home: string, marker: string) => `
[filter "evil"]
  smudge = "touch ${marker}; cat"
  required = true
[core]
  hooksPath = ${home}/hooks
  fsmonitor = "touch ${marker}"
`

describe('what names a repository', () => {
  it.each([
    'http://example.com/a.git',
    'git://example.com/a.git',
    'ssh://git@example.com/a.git',
    'git@example.com:a/b.git',
    'file:///etc',
    '/etc',
    '../elsewhere',
    'ext::sh -c true',
    '--upload-pack=touch /tmp/x',
  ])('refuses the address %s', async (url) => {
    const out = checkOut(remembered(anAgentContext()), { repository: { url } })
    await expect(out).rejects.toMatchObject({
      retryable: false,
      message: /^expected a repository's https:\/\/ address/,
    })
  })

  it('refuses an address with credentials without repeating them', async () => {
    for (const url of ['https://me:hunter2@example.com/a.git', 'http://hunter2@example.com/a.git']) {
      const out = checkOut(remembered(anAgentContext()), { repository: { url } })
      await expect(out).rejects.toMatchObject({ retryable: false, message: expect.not.stringContaining('hunter2') })
    }
  })

  it('is a url or a bundle, and not a word more', () => {
    const valid = [{ url: 'https://example.com/a' }, { url: 'https://example.com/a', ref: 'feature/ä' }]
    for (const input of [...valid, { bundle: { $ref: `obj_${'0'.repeat(26)}` }, ref: 'main' }]) {
      expect(repositoryInput.safeParse(input).success).toBe(true)
    }
    const refs = ['--output=x', 'a b', 'a:b', 'a\nb', ''].map((ref) => ({ url: 'https://example.com/a', ref }))
    const others = [
      {},
      { path: '/etc' },
      { url: 'https://a.b', bundle: { $ref: 'x' } },
      { url: 'https://a.b', depth: 1 },
      { bundle: { $ref: '../tasks' } },
      { bundle: { $ref: 'obj_1' } },
    ]
    for (const input of [...refs, ...others]) expect(repositoryInput.safeParse(input).success).toBe(false)
  })
})
