import { describe, expect, it } from 'vitest'
import { lockfiles } from '#agent/agents/code-reviewer/analyzers/lockfiles.ts'
import { inShort, runAnalyzer } from './run-analyzer.ts'

const sha512 = `sha512-${'A'.repeat(86)}==`
const tarball = (name: string, host = 'https://registry.npmjs.org') => `${host}/${name}/-/${name}-1.0.0.tgz`
const entry = (name: string, change: object = {}) => ({
  [`node_modules/${name}`]: { version: '1.0.0', resolved: tarball(name), integrity: sha512, ...change },
})
const npmLock = (...entries: object[]) =>
  JSON.stringify({ lockfileVersion: 3, packages: Object.assign({ '': { name: 'x' } }, ...entries) }, null, 2)
const messages = async (files: Record<string, string>) =>
  (await runAnalyzer(lockfiles, files)).remarks.map(({ severity, rule, message }) => `${severity} ${rule}: ${message}`)

describe('the lockfile analyzer on npm', () => {
  it('finds nothing in a healthy lockfile, with links, bundles, aliases, git and omitted addresses', async () => {
    const lock = npmLock(
      entry('a'),
      entry('a/node_modules/b', { resolved: tarball('b') }),
      entry('@scope/c', { resolved: `https://registry.npmjs.org/@scope/c/-/c-1.0.0.tgz` }),
      entry('alias', { name: 'd', resolved: tarball('d') }),
      entry('linked', { resolved: 'packages/linked', link: true, integrity: undefined }),
      entry('bundled', { inBundle: true, resolved: undefined, integrity: undefined }),
      entry('omitted', { resolved: undefined }),
      entry('e', { resolved: `git+ssh://git@github.com/x/e.git#${'a'.repeat(40)}`, integrity: undefined }),
      entry('local', { resolved: 'file:local.tgz' }),
    )
    expect(await messages({ 'package-lock.json': lock })).toEqual([])
  })

  it('tells packages that come over http, from another host or from another package', async () => {
    const lock = npmLock(
      entry('a', { resolved: tarball('a', 'http://registry.npmjs.org') }),
      entry('b', { resolved: tarball('b', 'https://evil.example') }),
      entry('c', { resolved: tarball('not-c') }),
    )
    const ran = await runAnalyzer(lockfiles, { 'package-lock.json': lock })
    const lineOf = (text: string) => lock.split('\n').findIndex((line) => line.includes(text)) + 1
    expect(inShort(ran)).toEqual([
      `error lockfile/insecure-url package-lock.json:${lineOf('http://')}`,
      `error lockfile/other-package package-lock.json:${lineOf('not-c')}`,
      `warning lockfile/unknown-host package-lock.json:${lineOf('evil')}`,
    ])
    expect(ran.remarks.find(({ rule }) => rule.includes('host'))?.message).toContain('https://evil.example')
  })

  it('knows the registries that the repository names', async () => {
    const lock = npmLock(entry('a', { resolved: tarball('a', 'https://npm.acme.dev') }))
    expect(await messages({ 'app/package-lock.json': lock })).toHaveLength(1)
    expect(await messages({ 'app/package-lock.json': lock, '.npmrc': 'registry=https://npm.acme.dev/' })).toEqual([])
    expect(
      await messages({ 'app/package-lock.json': lock, 'app/.npmrc': '@acme:registry=https://npm.acme.dev' }),
    ).toEqual([])
  })

  it('tells of many packages without a hash, or with a weak one, in one finding', async () => {
    const names = ['a', 'b', 'c']
    const weak = names.map((name) => entry(`weak-${name}`, { integrity: `sha1-${'A'.repeat(27)}=` }))
    const none = names.map((name) => entry(name, { integrity: undefined }))
    expect(await messages({ 'package-lock.json': npmLock(...weak, ...none) })).toEqual([
      'info lockfile/weak-integrity: weak-a is checked by a hash that is weaker than SHA-512 (https://registry.npmjs.org), and 2 more packages like it',
      'warning lockfile/no-integrity: a has no integrity hash (https://registry.npmjs.org), and 2 more packages like it',
    ])
  })

  it('tells the first of many packages one by one', async () => {
    const names = Array.from({ length: 9 }, (_one, index) => `p${index}`)
    const lock = npmLock(...names.map((name) => entry(name, { resolved: tarball(name, 'http://registry.npmjs.org') })))
    const told = await messages({ 'package-lock.json': lock })
    expect(told).toHaveLength(6)
    expect(told.at(-1)).toMatch(/^error .*: p5 .*, and 3 more packages like it$/)
  })

  it('tells where the manifest and the lockfile differ', async () => {
    const root = { '': { dependencies: { a: '^1.0.0', gone: '^1.0.0' }, devDependencies: { same: '1' } } }
    const manifest = { dependencies: { a: '^2.0.0', fresh: '^1.0.0' }, devDependencies: { same: '1' } }
    const files = { 'package.json': JSON.stringify(manifest), 'package-lock.json': npmLock(root) }
    const ran = await runAnalyzer(lockfiles, files)
    expect(ran.remarks.map(({ rule, message }) => `${rule}: ${message}`)).toEqual([
      'lockfile/out-of-date: package.json wants a ^2.0.0, the lockfile ^1.0.0: run npm install',
      'lockfile/out-of-date: package.json wants fresh ^1.0.0, the lockfile does not know it: run npm install',
      'lockfile/out-of-date: package.json wants gone no more, the lockfile ^1.0.0: run npm install',
    ])
  })

  it('tells a lockfile that cannot be read, and why', async () => {
    const conflict = '{\n<<<<<<< HEAD\n"a": 1\n=======\n"a": 2\n>>>>>>> x\n}\n'
    expect(await messages({ 'package-lock.json': conflict })).toEqual([
      'error lockfile/unreadable: the lockfile cannot be read: it has unresolved merge conflicts',
    ])
    expect(await messages({ 'yarn.lock': 'what: [is\n this\n' })).toEqual([
      expect.stringMatching(/^error lockfile\/unreadable: the lockfile cannot be read: ./),
    ])
  })

  it('reports only what is wanted', async () => {
    const lock = npmLock(
      entry('a', { resolved: tarball('a', 'http://registry.npmjs.org') }),
      entry('b', { resolved: tarball('b', 'http://registry.npmjs.org') }),
    )
    const wanted = lock.split('\n').findIndex((line) => line.includes('/b/-/')) + 1
    const concerns = (_file: string, line: number) => line === wanted
    const { remarks } = await runAnalyzer(lockfiles, { 'package-lock.json': lock }, { concerns })
    expect(remarks).toMatchObject([{ line: wanted, message: expect.stringMatching(/^b /) }])
  })
})

const yarnEntry = (name: string, resolved: string, integrity = `  integrity ${sha512}\n`) =>
  `${name}@^1.0.0:\n  version "1.0.0"\n  resolved "${resolved}"\n${integrity}\n`

describe('the lockfile analyzer elsewhere', () => {
  it('tells the same of yarn, old and new', async () => {
    const healthy = yarnEntry('a', `${tarball('a', 'https://registry.yarnpkg.com')}#${'a'.repeat(40)}`)
    const alias = yarnEntry('"alias@npm:d', tarball('d')).replace('@^1.0.0:', '@^1.0.0":')
    const insecure = yarnEntry('b', tarball('b', 'http://registry.yarnpkg.com'))
    expect(await messages({ 'yarn.lock': `# yarn lockfile v1\n\n${healthy}${alias}` })).toEqual([])
    expect(await messages({ 'yarn.lock': `# yarn lockfile v1\n\n${healthy}${insecure}` })).toEqual([
      'error lockfile/insecure-url: b is fetched without encryption (http://registry.yarnpkg.com)',
    ])
    const berry = [
      '__metadata:\n  version: 8\n',
      '"a@npm:^1.0.0":\n  version: 1.0.0\n  resolution: "a@npm:1.0.0"\n  checksum: 10/abc\n',
      '"x@workspace:.":\n  version: 0.0.0-use.local\n  resolution: "x@workspace:."\n',
    ]
    expect(await messages({ 'yarn.lock': berry.join('\n') })).toEqual([])
  })

  it('tells insecure tarballs of pnpm', async () => {
    const lock =
      'packages:\n  b@1.0.0:\n    resolution: {tarball: http://evil.example/b.tgz}\n  c@1.0.0:\n    resolution: {tarball: https://fine.example/c.tgz}\n'
    expect(await messages({ 'pnpm-lock.yaml': lock })).toEqual([
      'error lockfile/insecure-url: evil.example/b.tgz is fetched without encryption',
    ])
  })

  it('tells a Go module that requires others without hashes', async () => {
    const module = 'module x\n\ngo 1.24\n\nrequire github.com/a/b v1.0.0\n'
    expect(inShort(await runAnalyzer(lockfiles, { 'go.mod': module }))).toEqual([
      'warning lockfile/no-integrity go.mod:5',
    ])
    expect(await messages({ 'go.mod': module, 'go.sum': 'github.com/a/b v1.0.0 h1:x=\n' })).toEqual([])
    expect(await messages({ 'go.mod': 'module x\n\ngo 1.24\n' })).toEqual([])
  })
})
