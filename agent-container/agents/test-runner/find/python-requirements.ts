import { parse } from 'smol-toml'
import * as z from 'zod'
import { exists, firstExisting, readText } from './plan.ts'

const testNames = ['test', 'tests', 'testing', 'dev']
const requirementFiles = [
  ...['requirements.txt', 'requirements-test.txt', 'requirements-tests.txt', 'requirements-dev.txt'],
  ...['test-requirements.txt', 'dev-requirements.txt', 'requirements_test.txt', 'requirements_dev.txt'],
  ...['requirements/test.txt', 'requirements/tests.txt', 'requirements/dev.txt'],
]

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
  const files = await existing(folder, requirementFiles)
  return [
    ...(await projectItself(folder, manifest)),
    ...groupRequirements(manifest?.['dependency-groups'] ?? {}, testNames),
    ...files.flatMap((file) => ['-r', file]),
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
  const extras = declared.filter((name) => testNames.includes(name.toLowerCase()))
  return ['-e', extras.length > 0 ? `.[${extras.join(',')}]` : '.']
}

const groupRequirements = (groups: Pyproject['dependency-groups'], names: string[], depth = 0): string[] =>
  names
    .flatMap((name) => groups[name] ?? [])
    .flatMap((entry) => {
      if (typeof entry === 'string') return [entry]
      return depth < 10 ? groupRequirements(groups, [entry['include-group']], depth + 1) : []
    })

const existing = async (folder: string, names: string[]): Promise<string[]> => {
  const found = await Promise.all(names.map((name) => exists(folder, name)))
  return names.filter((_name, at) => found[at])
}
