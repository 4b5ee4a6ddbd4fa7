import { parse } from 'smol-toml'
import * as z from 'zod'
import { exists, firstExisting, readText } from './plan.ts'

const testNames = ['test', 'tests', 'testing']
const requirementFiles = [
  ...['requirements-test.txt', 'requirements-tests.txt', 'requirements_test.txt', 'test-requirements.txt'],
  ...['requirements/test.txt', 'requirements/tests.txt'],
]

const devFiles = ['requirements-dev.txt', 'requirements_dev.txt', 'dev-requirements.txt', 'requirements/dev.txt']

/** What is for tests; what is for all development only where nothing is for tests. */
const forTests = (names: string[]): string[] => {
  const tests = names.filter((name) => testNames.includes(name.toLowerCase()))
  return tests.length > 0 ? tests : names.filter((name) => name.toLowerCase() === 'dev')
}

const groupEntry = z.union([z.string(), z.object({ 'include-group': z.string() })])
const pyproject = z.object({
  'build-system': z.unknown().optional(),
  project: z.object({ 'optional-dependencies': z.record(z.string(), z.unknown()).default({}) }).optional(),
  'dependency-groups': z.record(z.string(), z.array(groupEntry)).default({}),
})
type Pyproject = z.infer<typeof pyproject>

/** What `pip install` is told: the project itself, its test extras and groups (PEP 735), its requirement files. */
export const requirementsOf = async (folder: string): Promise<string[]> => {
  const manifest = readPyproject(await readText(folder, 'pyproject.toml'))
  const groups = manifest?.['dependency-groups'] ?? {}
  return [
    ...(await projectItself(folder, manifest)),
    ...groupRequirements(groups, forTests(Object.keys(groups))),
    ...(await filesToRead(folder)).flatMap((file) => ['-r', file]),
  ]
}

const readPyproject = (text: string): Pyproject | undefined => {
  try {
    return pyproject.safeParse(parse(text)).data
  } catch {
    return undefined
  }
}

const projectItself = async (folder: string, manifest: Pyproject | undefined): Promise<string[]> => {
  const installable = manifest?.project ?? manifest?.['build-system'] ?? (await firstExisting(folder, ['setup.py']))
  if (installable === undefined) return []
  const declared = Object.keys(manifest?.project?.['optional-dependencies'] ?? {})
  const extras = forTests(declared)
  return ['-e', extras.length > 0 ? `.[${extras.join(',')}]` : '.']
}

const groupRequirements = (groups: Pyproject['dependency-groups'], names: string[], depth = 0): string[] =>
  names
    .flatMap((name) => groups[name] ?? [])
    .flatMap((entry) => {
      if (typeof entry === 'string') return [entry]
      return depth < 10 ? groupRequirements(groups, [entry['include-group']], depth + 1) : []
    })

const filesToRead = async (folder: string): Promise<string[]> => {
  const tests = await existing(folder, requirementFiles)
  const others = await existing(folder, tests.length > 0 ? [] : devFiles)
  return [...(await existing(folder, ['requirements.txt'])), ...tests, ...others]
}

const existing = async (folder: string, names: string[]): Promise<string[]> => {
  const found = await Promise.all(names.map((name) => exists(folder, name)))
  return names.filter((_name, at) => found[at])
}
