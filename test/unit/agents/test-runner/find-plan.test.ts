import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { findPlan } from '#agent/agents/test-runner/find/find-plan.ts'
import { lastCommandOf, reporterArgs } from '#agent/agents/test-runner/find/node-script.ts'
import { prepareSurroundings } from '#agent/agents/test-runner/process/environment.ts'
import { splitCommand } from '#agent/agents/test-runner/split-command.ts'
import { aRepository, type Files } from '#test/support/git-repository.ts'

const cleanUp: (() => unknown)[] = []
afterEach(async () => {
  for (const clean of cleanUp.splice(0)) await clean()
})

const plan = async (files: Files, { install = false, command }: { install?: boolean; command?: string } = {}) => {
  const repository = aRepository(files)
  const scratchRoot = await mkdtemp(path.join(tmpdir(), 'plan-'))
  cleanUp.push(repository.remove, () => rm(scratchRoot, { recursive: true }))
  const surroundings = await prepareSurroundings({ folder: scratchRoot, install })
  const found = await findPlan({ folder: repository.folder, install, surroundings }, command)
  const short = (words: string[]) => words.map((word) => word.replace(surroundings.scratch, '<scratch>')).join(' ')
  return {
    command: found.plan && short(found.plan.command),
    install: found.plan?.install.map(short),
    blocked: found.plan?.blocked?.reason,
    env: found.plan?.env,
    others: found.others,
  }
}
const manifest = (test: string, rest: object = {}) => ({
  'package.json': JSON.stringify({
    scripts: { test, ...('scripts' in rest ? (rest.scripts as object) : {}) },
    ...without(rest),
  }),
})
const without = ({ scripts, ...rest }: { scripts?: unknown } & object) => rest
const withVitest = { devDependencies: { vitest: '5.1.1' } }
const json = '--reporter=default --reporter=json --outputFile.json=<scratch>/jest-report.json'

describe('a Node project', () => {
  it.each<[string, Files, string, string[]]>([
    [
      'npm with a lockfile',
      { ...manifest('vitest run', withVitest), 'package-lock.json': '' },
      `npm test -- ${json}`,
      ['npm ci'],
    ],
    ['npm without one', manifest('vitest run', withVitest), `npm test -- ${json}`, ['npm install --no-package-lock']],
    [
      'pnpm',
      { ...manifest('vitest run', withVitest), 'pnpm-lock.yaml': '' },
      `pnpm run test ${json}`,
      ['pnpm install --frozen-lockfile'],
    ],
    [
      'yarn',
      { ...manifest('vitest run', withVitest), 'yarn.lock': '' },
      `yarn test ${json}`,
      ['yarn install --frozen-lockfile'],
    ],
    [
      'packageManager',
      manifest('vitest run', { ...withVitest, packageManager: 'pnpm@9.0.0' }),
      `pnpm run test ${json}`,
      ['pnpm install --no-lockfile'],
    ],
    [
      'jest',
      manifest('jest', withVitest),
      'npm test -- --json --outputFile=<scratch>/jest-report.json',
      ['npm install --no-package-lock'],
    ],
    ['another tool', manifest('mocha', withVitest), 'npm test', ['npm install --no-package-lock']],
    ['no dependencies', manifest('node --test'), 'npm test', []],
  ])('of %s', async (_what, files, command, install) => {
    expect(await plan(files, { install: true })).toMatchObject({ command, install })
  })

  it('passes a reporter through scripts that run scripts', async () => {
    const files = manifest('npm run lint && npm run unit', { scripts: { unit: 'cross-env A=1 vitest' }, ...withVitest })
    expect((await plan(files)).command).toBe(`npm test -- -- ${json}`)
  })
})

describe('a Python project', () => {
  it.each<[string, Files, string]>([
    [
      'pytest by its settings',
      { 'pytest.ini': '' },
      'python3 -m pytest -o junit_family=xunit1 --junitxml=<scratch>/pytest.xml',
    ],
    [
      'pytest by a dependency',
      { 'pyproject.toml': '[dependency-groups]\ntest = ["pytest>=8"]' },
      'python3 -m pytest -o junit_family=xunit1 --junitxml=<scratch>/pytest.xml',
    ],
    ['unittest in a folder', { 'tests/test_a.py': '' }, 'python3 -m unittest discover -v -s tests'],
    [
      'unittest in a package',
      { 'tests/__init__.py': '', 'tests/test_a.py': '' },
      'python3 -m unittest discover -v -s tests -t .',
    ],
    ['unittest at the root', { 'setup.py': '', 'test_a.py': '' }, 'python3 -m unittest discover -v -s .'],
  ])('of %s', async (_what, files, command) => {
    expect((await plan(files)).command).toBe(command)
  })

  it('is installed with its extras, groups and requirement files', async () => {
    const toml = `
[project]
name = "sample"
version = "1"
[project.optional-dependencies]
docs = ["sphinx"]
test = ["hypothesis"]
[dependency-groups]
tests = ["pytest>=8", { include-group = "time" }]
time = ["freezegun"]
dev = ["tox"]
lint = ["ruff"]`
    const found = await plan(
      { 'pyproject.toml': toml, 'requirements/tests.txt': '', 'requirements/dev.txt': '' },
      { install: true },
    )
    expect(found.install).toEqual([
      'python3 -m venv <scratch>/venv',
      '<scratch>/venv/bin/python -m pip install -e .[test] pytest>=8 freezegun -r requirements/tests.txt pytest',
    ])
    expect(found.command).toMatch(/^<scratch>\/venv\/bin\/python -m pytest /)
  })

  it('without tests is not one', async () => {
    expect((await plan({ 'pyproject.toml': '[project]\nname = "a"', 'a.py': '' })).command).toBeUndefined()
  })
})

describe('other projects', () => {
  it.each<[string, Files, boolean, string]>([
    ['Go', { 'go.mod': 'module example.com/a\n' }, false, 'go test -json ./...'],
    ['Cargo', { 'Cargo.toml': '' }, false, 'cargo test --workspace --no-fail-fast --offline'],
    ['Cargo, installed', { 'Cargo.toml': '' }, true, 'cargo test --workspace --no-fail-fast'],
    ['Maven', { 'pom.xml': '' }, true, 'mvn --batch-mode --no-transfer-progress --fail-at-end test'],
    [
      'Maven by its wrapper',
      { 'pom.xml': '', mvnw: '' },
      true,
      'sh mvnw --batch-mode --no-transfer-progress --fail-at-end test',
    ],
    ['Gradle', { 'build.gradle.kts': '' }, true, 'gradle test --continue --no-daemon --console=plain'],
    [
      'Gradle by its wrapper',
      { 'settings.gradle': '', gradlew: '' },
      true,
      'sh gradlew test --continue --no-daemon --console=plain',
    ],
  ])('of %s', async (_what, files, install, command) => {
    expect((await plan(files, { install })).command).toBe(command)
  })

  it('of two kinds are tested as the first, and the second is named', async () => {
    expect(await plan({ ...manifest('node --test'), 'go.mod': 'module a\n' })).toMatchObject({
      command: 'npm test',
      others: ['go.mod'],
    })
  })

  it('installs for a command of the task what the project needs', async () => {
    const files = { ...manifest('vitest', withVitest), 'package-lock.json': '' }
    expect(await plan(files, { install: true, command: 'npx vitest run "my test"' })).toMatchObject({
      command: 'npx vitest run my test',
      install: ['npm ci'],
    })
  })
})

describe('the last command of a script', () => {
  it.each([
    ['vitest run --coverage', 'vitest', ['run', '--coverage']],
    ['tsc -b && NODE_OPTIONS=--x npx jest "a b"', 'jest', ['a b']],
    ['c8 --all vitest', 'vitest', []],
    ['xo && npm run unit', 'node', ['--test']],
  ])('%s', (script, program, args) => {
    expect(lastCommandOf(script, { unit: 'node --test' })).toMatchObject({ program, args })
  })

  it.each([
    'vitest | tee out',
    'vitest || true',
    'a; b',
    'jest $(cat files)',
    'npm run nowhere',
    '',
    'vitest > out',
    'a & b',
  ])('is not known of %j', (script) => {
    expect(lastCommandOf(script, {})).toBeUndefined()
  })

  it('is not followed in circles', () => {
    expect(lastCommandOf('npm run a', { a: 'npm run b', b: 'npm run a' })).toBeUndefined()
  })

  it('keeps a report of its own', () => {
    const last = lastCommandOf('vitest run --outputFile=mine.json', {})
    expect(last && reporterArgs(last, '/report.json')).toBeUndefined()
  })
})

describe('a command line', () => {
  it.each([
    ['npm test', ['npm', 'test']],
    ["  sh -c 'a && b'  ", ['sh', '-c', 'a && b']],
    ['say "two words" and\\ one', ['say', 'two words', 'and one']],
    ['a"b"\'c\' "" $HOME *', ['abc', '', '$HOME', '*']],
    ['"a \\" b" \'a \\ b\'', ['a " b', 'a \\ b']],
  ])('%s', (line, words) => {
    expect(splitCommand(line)).toEqual(words)
  })
})
