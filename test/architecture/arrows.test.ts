import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { cruise, type ICruiseResult } from 'dependency-cruiser'
import extractDepcruiseOptions from 'dependency-cruiser/config-utl/extract-depcruise-options'
import extractTsConfig from 'dependency-cruiser/config-utl/extract-ts-config'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const options = await extractDepcruiseOptions('./.dependency-cruiser.cjs')
const tsConfig = extractTsConfig('./tsconfig.json')

const violations = async (folders: string[], baseDir = process.cwd()): Promise<string[]> => {
  const { output } = await cruise(folders, { ...options, baseDir, validate: true }, undefined, { tsConfig })
  return (output as ICruiseResult).summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`)
}

/** Each arrow that must not be, and the rule that says so. */
const forbidden = [
  ['domain', 'shared/domain/tasks/task.ts', 'shared/contracts/tasks.ts'],
  ['domain', 'shared/domain/tasks/task.ts', 'shared/platform/embedded/sqlite-table.ts'],
  ['contracts', 'shared/contracts/tasks.ts', 'functions/api/app.ts'],
  ['ports', 'shared/platform/platform.ts', 'shared/platform/aws/settings.ts'],
  ['embedded', 'shared/platform/embedded/sqlite-table.ts', 'shared/platform/aws/settings.ts'],
  ['aws', 'shared/platform/aws/dynamodb-table.ts', 'shared/platform/embedded/sqlite-table.ts'],
  ['functions', 'functions/api/app.ts', 'shared/platform/aws/create-aws-platform.ts'],
  ['functions', 'functions/api/routes/handler.ts', 'shared/platform/aws/create-aws-platform.ts'],
  ['handlers', 'functions/api/handler.ts', 'shared/platform/embedded/create-embedded-platform.ts'],
  ['agents', 'agent-container/main.ts', 'shared/domain/tasks/task.ts'],
  ['agents', 'agent-container/main.ts', 'shared/platform/platform.ts'],
  ['cli', 'cli/commands/tasks.ts', 'shared/domain/tasks/task.ts'],
  ['cli', 'cli/client/client.ts', 'functions/api/app.ts'],
  ['server', 'cli/server/embedded-server.ts', 'shared/platform/aws/create-aws-platform.ts'],
  ['infra', 'infra/stacks/api-stack.ts', 'functions/api/app.ts'],
  ['domain-has-no-libraries', 'shared/domain/tasks/task.ts', 'zod'],
  ['no-dev-dependencies', 'functions/api/app.ts', 'vitest'],
  ['not-resolvable', 'cli/devcycle.ts', 'nowhere'],
] as const

const allowed = [
  ['shared/domain/tasks/task.ts', 'shared/platform/platform.ts'],
  ['shared/contracts/tasks.ts', 'shared/domain/tasks/task.ts'],
  ['functions/api/handler.ts', 'shared/platform/aws/create-aws-platform.ts'],
  ['cli/commands/start.ts', 'shared/platform/embedded/create-embedded-platform.ts'],
  ['cli/server/embedded-server.ts', 'functions/api/app.ts'],
  ['agent-container/main.ts', 'shared/contracts/worker.ts'],
  ['infra/stacks/data-stack.ts', 'shared/platform/aws/table-definition.ts'],
  ['functions/api/app.ts', 'zod'],
] as const

describe('the arrows between folders', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'arrows-'))
    write('package.json', JSON.stringify({ dependencies: { zod: '1.0.0' }, devDependencies: { vitest: '1.0.0' } }))
    for (const name of ['zod', 'vitest']) {
      write(`node_modules/${name}/package.json`, JSON.stringify({ name, version: '1.0.0', main: 'index.js' }))
      write(`node_modules/${name}/index.js`, 'export default 1\n')
    }
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  const write = (file: string, text: string): void => {
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    writeFileSync(join(folder, file), text)
  }
  const draw = (from: string, to: string): Promise<string[]> => {
    const isFile = to.endsWith('.ts')
    if (isFile) write(to, 'export default 1\n')
    const path = relative(dirname(from), to)
    write(
      from,
      `import it from '${isFile ? (path.startsWith('.') ? path : `./${path}`) : to}'\nexport const kept = it\n`,
    )
    return violations([from.replace(/\/.*/, '')], folder)
  }

  it('are those of the architecture', { timeout: 60_000 }, async () => {
    expect(await violations(['agent-container', 'bench', 'cli', 'functions', 'infra', 'shared'])).toEqual([])
  })

  it.each(forbidden)('%s refuses %s → %s', async (rule, from, to) => {
    expect((await draw(from, to)).map((violation) => violation.split(':')[0])).toContain(rule)
  })

  it.each(allowed)('%s → %s is allowed', async (from, to) => {
    expect(await draw(from, to)).toEqual([])
  })

  it('have no cycles', async () => {
    write('cli/a.ts', "import { b } from './b.ts'\nexport const a = () => b\n")
    write('cli/b.ts', "import { a } from './a.ts'\nexport const b = () => a\n")
    expect((await violations(['cli'], folder)).map((violation) => violation.split(':')[0])).toContain('no-cycles')
  })
})
