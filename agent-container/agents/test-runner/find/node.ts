import path from 'node:path'
import * as z from 'zod'
import { findProgram } from '../process/find-program.ts'
import { type LastCommand, lastCommandOf, reporterArgs } from './node-script.ts'
import { dependenciesMissing, exists, type Finder, firstExisting, type Plan, type Project, readText } from './plan.ts'

const packageJson = z.looseObject({
  scripts: z.record(z.string(), z.string()).default({}),
  dependencies: z.record(z.string(), z.unknown()).default({}),
  devDependencies: z.record(z.string(), z.unknown()).default({}),
  packageManager: z.string().optional(),
})
type PackageJson = z.infer<typeof packageJson>

type Manager = {
  name: string
  lockfiles: string[]
  install: string[]
  withoutLockfile: string[]
  test: string[]
  /** How arguments reach a script; `undefined` when they do not reach one behind others. */
  forward: (args: string[], separators: number) => string[] | undefined
}

const separated = (args: string[], separators: number) => [...Array.from({ length: separators }, () => '--'), ...args]

const npm: Manager = {
  name: 'npm',
  lockfiles: ['package-lock.json', 'npm-shrinkwrap.json'],
  install: ['npm', 'ci'],
  withoutLockfile: ['npm', 'install', '--no-package-lock'],
  test: ['npm', 'test'],
  forward: (args, separators) => separated(args, separators + 1),
}
const managers: Manager[] = [
  {
    name: 'pnpm',
    lockfiles: ['pnpm-lock.yaml'],
    install: ['pnpm', 'install', '--frozen-lockfile'],
    withoutLockfile: ['pnpm', 'install', '--no-lockfile'],
    // `pnpm test` keeps options for itself
    test: ['pnpm', 'run', 'test'],
    forward: separated,
  },
  {
    name: 'yarn',
    lockfiles: ['yarn.lock'],
    install: ['yarn', 'install', '--frozen-lockfile'],
    withoutLockfile: ['yarn', 'install'],
    test: ['yarn', 'test'],
    forward: (args, separators) => (separators === 0 ? args : undefined),
  },
  npm,
]

const npmInitDefault = 'no test specified'
const invalid: Plan = {
  source: 'package.json',
  command: ['npm', 'test'],
  install: [],
  blocked: { status: 'error', reason: 'package.json is not valid JSON or has no valid scripts' },
}

/** `scripts.test` of `package.json`, run by the package manager whose lockfile is there. */
export const findNode: Finder = async (project) => {
  const text = await readText(project.folder, 'package.json')
  if (text === '') return undefined
  const parsed = packageJson.safeParse(parseJson(text))
  if (!parsed.success) return invalid
  const script = parsed.data.scripts.test
  if (script === undefined || script.includes(npmInitDefault)) return undefined
  return planFor(project, parsed.data, script)
}

const planFor = async (project: Project, manifest: PackageJson, script: string): Promise<Plan> => {
  const { manager, locked } = await chooseManager(project.folder, manifest)
  const last = lastCommandOf(script, manifest.scripts)
  const file = path.join(project.surroundings.scratch, 'jest-report.json')
  const args = last && reporterArgs(last, file)
  const forwarded = args && manager.forward(args, last.separators)
  return {
    source: 'package.json',
    command: [...manager.test, ...(forwarded ?? [])],
    install: hasDependencies(manifest) ? [locked ? manager.install : manager.withoutLockfile] : [],
    ...(forwarded && { reports: { format: 'jest-json', files: file } }),
    ...(await blockedBy(project, manifest, last)),
  }
}

const hasDependencies = ({ dependencies, devDependencies }: PackageJson) =>
  Object.keys({ ...dependencies, ...devDependencies }).length > 0

const chooseManager = async (folder: string, manifest: PackageJson): Promise<{ manager: Manager; locked: boolean }> => {
  for (const manager of managers) if (await firstExisting(folder, manager.lockfiles)) return { manager, locked: true }
  const named = managers.find(({ name }) => manifest.packageManager?.startsWith(`${name}@`))
  return { manager: named ?? npm, locked: false }
}

/** A test tool that is one of the project's own packages is known to be absent without a try. */
const blockedBy = async ({ folder, install, surroundings }: Project, manifest: PackageJson, last?: LastCommand) => {
  const declared = { ...manifest.dependencies, ...manifest.devDependencies }
  if (install || !last || !(last.program in declared) || (await exists(folder, 'node_modules'))) return {}
  if (await findProgram(last.program, surroundings.searchPath)) return {}
  return {
    blocked: { status: 'error' as const, reason: dependenciesMissing(`${last.program} is not in node_modules`) },
  }
}

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
