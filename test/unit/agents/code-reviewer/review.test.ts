import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { afterEach, describe, expect, it } from 'vitest'
import { reviewInput, reviewResult } from '#agent/agents/code-reviewer/contract.ts'
import { review } from '#agent/agents/code-reviewer/review.ts'
import { anAgentContext, type TestContext } from '#test/support/agent-context.ts'
import { aRepository, type Files, type TestRepository } from '#test/support/git-repository.ts'
import { sarifErrors } from './sarif-errors.ts'

const made: { remove(): void }[] = []
const remembered = <T extends { remove(): void }>(one: T): T => {
  made.push(one)
  return one
}
const repositoryWith = (files: Files) => remembered(aRepository(files))
afterEach(() => {
  for (const one of made.splice(0)) one.remove()
})

const reviewOf = (repository: TestRepository, input: object = {}, ctx: TestContext = remembered(anAgentContext())) => {
  const bundle = ctx.upload(repository.bundle())
  return review(ctx, reviewInput.parse({ repository: { bundle }, ...input }))
}

type Result = Awaited<ReturnType<typeof review>>
type Found = { ruleId: string; level: string; locations: [{ physicalLocation: Physical }] }
type Physical = { artifactLocation: { uri: string }; region: { startLine: number } }
const inShort = (result: Result) =>
  ((result.sarif.runs[0]?.results ?? []) as Found[]).map(({ ruleId, level, locations: [{ physicalLocation: at }] }) => {
    return `${level} ${ruleId} ${at.artifactLocation.uri}:${at.region.startLine}`
  })

const mixed: Files = {
  'src/a.ts': 'export const x = 1\nx = 2\ndebugger\n',
  'src/b.py': 'import os\n\nos.system(f"rm {path}")\n',
  'src/c.go': 'package c\n\nvar conf = tls.Config{InsecureSkipVerify: true}\n',
  'vendor/d.js': 'debugger\n',
  'package.json': '{ "name": "x", "license": "Apache 2.0" }\n',
  'logo.png': Uint8Array.from([0, 1, 2, 3]),
}
const ofMixed = [
  'warning licence/not-spdx package.json:1',
  'error eslint/no-const-assign src/a.ts:2',
  'warning eslint/no-debugger src/a.ts:3',
  'warning devcycle/py-command-injection src/b.py:3',
  'error ruff/F821 src/b.py:3',
  'error devcycle/go-tls-not-verified src/c.go:3',
]

describe('a review', () => {
  it('looks at a whole repository with everything that applies, and reports in order', async () => {
    const repository = repositoryWith(mixed)
    const result = await reviewOf(repository)
    expect(inShort(result)).toEqual(ofMixed)
    expect(result).toMatchObject({
      counts: { error: 3, warning: 3, info: 0 },
      files: 4,
      lines: 10,
      skipped: { vendored: 1, binary: 1 },
      head: repository.git('rev-parse', 'HEAD'),
    })
    expect(result.analyzers.map(({ id, status, findings }) => `${id} ${status} ${findings}`)).toEqual([
      'secrets ran 0',
      'javascript ran 2',
      'duplicates ran 0',
      'patterns ran 2',
      'python ran 1',
      'lockfiles skipped 0',
      'licences ran 1',
    ])
    expect(reviewResult.parse(structuredClone(result))).toEqual(result)
    expect(sarifErrors(result.sarif)).toEqual([])
    expect(result.markdown).toContain('**3 errors, 3 warnings, 0 notes** in 4 files, 10 lines')
  })

  it('tells progress and findings while it works, and says the same when it is repeated', async () => {
    const ctx = remembered(anAgentContext())
    const repository = repositoryWith(mixed)
    const [result, again] = await Promise.all([reviewOf(repository, {}, ctx), reviewOf(repository)])
    expect(again).toEqual(result)
    const percents = ctx.told.progress.map(({ percent }) => percent)
    expect(percents).toEqual(percents.toSorted((a, b) => a - b))
    expect(percents[0]).toBe(0)
    expect(percents.length).toBeGreaterThan(8)
    expect(ctx.told.progress.map(({ message }) => message)).toContain('javascript: 1 of 1 files')
    expect(ctx.told.output).toHaveLength(6)
    expect(ctx.told.output).toContainEqual({
      type: 'finding',
      file: 'src/c.go',
      line: 3,
      column: 23,
      endLine: 3,
      severity: 'error',
      rule: 'devcycle/go-tls-not-verified',
      message: expect.stringContaining('certificates'),
      analyzer: 'patterns',
    })
  })

  it('says of a clean repository that nothing was found', async () => {
    const result = await reviewOf(repositoryWith({ 'a.ts': 'export const a = 1\n' }))
    expect(result.counts).toEqual({ error: 0, warning: 0, info: 0 })
    expect(result.sarif.runs[0]?.results).toEqual([])
    expect(result.markdown).toContain('**0 errors, 0 warnings, 0 notes** in 1 file, 1 line')
  })

  it('with a base tells only what is on changed lines', async () => {
    const repository = repositoryWith({ 'old.ts': 'debugger\n', 'a.ts': 'debugger\nexport {}\n', 'b.py': 'print(x)\n' })
    const base = repository.git('rev-parse', 'HEAD')
    repository.git('tag', 'v1')
    repository.commit({ 'a.ts': 'debugger\nexport {}\ndebugger\n', 'new.py': 'print(y)\n' })
    for (const name of ['v1', base.slice(0, 10)]) {
      const result = await reviewOf(repository, { base: name })
      expect(inShort(result)).toEqual(['warning eslint/no-debugger a.ts:3', 'error ruff/F821 new.py:1'])
      expect(result).toMatchObject({ base, files: 2, counts: { error: 1, warning: 1, info: 0 } })
    }
    const refused = reviewOf(repository, { base: 'v2' })
    await expect(refused).rejects.toMatchObject({ retryable: false, message: 'the base v2 is not in the repository' })
  })

  it('narrows to paths and to a least severity', async () => {
    const repository = repositoryWith(mixed)
    expect(inShort(await reviewOf(repository, { paths: ['src/*.py', 'src/c.go'] }))).toEqual(ofMixed.slice(3))
    const serious = await reviewOf(repository, { minSeverity: 'error' })
    expect(inShort(serious)).toEqual(ofMixed.filter((one) => one.startsWith('error')))
    expect(serious.counts).toEqual({ error: 3, warning: 0, info: 0 })
  })

  it('masks a secret wherever it is told, also where another analyzer quotes it', async () => {
    const token = `xoxb-${randomDigits(12)}-${randomDigits(12)}-${randomBytes(12).toString('hex')}`
    const ctx = remembered(anAgentContext())
    const code = `export const owners = {\n  '${token}': 1,\n  '${token}': 2,\n}\n`
    const result = await reviewOf(repositoryWith({ 'a.ts': code, 'b.py': `print(${token.slice(0, 4)})\n` }), {}, ctx)
    expect(inShort(result)).toContain('error eslint/no-dupe-keys a.ts:3')
    expect(inShort(result)).toContain('error secretlint/slack/SLACK_TOKEN a.ts:2')
    expect(JSON.stringify([result, ctx.told])).not.toContain(token)
    expect(JSON.stringify(result.sarif)).toContain('***')
  })

  it('keeps the most serious of absurdly many findings, and counts all', async () => {
    const ctx = remembered(anAgentContext())
    const result = await reviewOf(
      repositoryWith({ 'a.js': 'debugger\n'.repeat(5100), 'z.py': 'print(x)\n' }),
      { minSeverity: 'warning' },
      ctx,
    )
    expect(result.counts).toEqual({ error: 1, warning: 5100, info: 0 })
    expect(result.truncated).toEqual({ kept: 5000, of: 5101 })
    expect(result.sarif.runs[0]?.results).toHaveLength(5000)
    expect(inShort(result).at(-1)).toBe('error ruff/F821 z.py:1')
    expect(ctx.told.output).toHaveLength(501)
    expect(ctx.told.output.at(-1)).toMatchObject({ type: 'note' })
  })

  it('stops when the task is cancelled', async () => {
    const ctx = remembered(anAgentContext())
    const files = Object.fromEntries(Array.from({ length: 300 }, (_one, index) => [`f${index}.py`, 'print(x)\n']))
    const running = reviewOf(repositoryWith(files), {}, { ...ctx, progress: (percent) => percent >= 10 && ctx.abort() })
    await expect(running).rejects.toMatchObject({ name: 'AbortError' })
  })
})

const randomDigits = (length: number) => Array.from(randomBytes(length), (byte) => byte % 10).join('')

describe('the input of a review', () => {
  const repository = { url: 'https://example.com/a' }

  it('has sensible defaults', () => {
    expect(reviewInput.parse({ repository })).toEqual({ repository, minSeverity: 'info' })
  })

  it.each([
    {},
    { repository: '/etc' },
    { repository, path: ['a'] },
    { repository, paths: [] },
    { repository, paths: ['../x'] },
    { repository, paths: ['a/../../x'] },
    { repository, paths: ['/etc'] },
    { repository, paths: [':(exclude)a'] },
    { repository, base: '--output=/tmp/x' },
    { repository, minSeverity: 'fatal' },
  ])('refuses %j', (input) => {
    expect(reviewInput.safeParse(input).success).toBe(false)
  })

  it('takes folders, files and globs with dots and blanks', () => {
    const paths = ['src', './src', 'a b/c..d.ts', '**/*.{ts,py}', '.github/', '-x']
    expect(reviewInput.parse({ repository, paths }).paths).toEqual(paths)
  })
})

describe('the agent', () => {
  it('loads nothing heavy before it is asked to review', () => {
    const script = `
      import { registerHooks } from 'node:module'
      const seen = []
      registerHooks({ load: (url, context, next) => (seen.push(url), next(url, context)) })
      const { default: agent } = await import('#agent/agents/code-reviewer/agent.ts')
      const ours = /agent-container\\/(sdk|agents\\/(code-reviewer|repository))\\/|shared\\/contracts\\/common.ts$|node_modules\\/zod\\/|^node:/
      console.log(JSON.stringify({ name: agent.name, others: seen.filter((url) => !ours.test(url)), count: seen.length }))`
    const args = ['--input-type=module', '--disable-warning=ExperimentalWarning', '--eval', script]
    const told = JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }))
    expect(told).toMatchObject({ name: 'code-reviewer', others: [] })
    expect(told.count).toBeGreaterThan(5)
  })
})
