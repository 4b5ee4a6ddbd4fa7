import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { findProgram } from '../process/find-program.ts'
import { exists, type Finder, firstExisting, type Plan, type Project, readText } from './plan.ts'
import { requirementsOf } from './python-requirements.ts'

const manifests = [
  'pyproject.toml',
  'setup.py',
  'setup.cfg',
  'pytest.ini',
  'tox.ini',
  'requirements.txt',
  'conftest.py',
]
const mentionPytest = ['pyproject.toml', 'setup.cfg', 'setup.py', 'tox.ini', 'requirements.txt', 'requirements-dev.txt']
const pytestFiles = ['pytest.ini', 'conftest.py', 'tests/conftest.py', 'test/conftest.py']
const testFolders = ['tests', 'test', '.']

/** pytest where the project names it, else `unittest` where there are `test*.py` files. */
export const findPython: Finder = async (project) => {
  const manifest = await firstExisting(project.folder, manifests)
  const tests = await testFolder(project.folder)
  if (manifest === undefined && tests === undefined) return undefined
  const source = manifest ?? `${tests}/test*.py`
  if (await wantsPytest(project.folder)) return planFor(project, source, pytestCommand(project), 'pytest')
  return tests === undefined ? undefined : planFor(project, source, await unittestCommand(project.folder, tests))
}

const wantsPytest = async (folder: string): Promise<boolean> => {
  if (await firstExisting(folder, pytestFiles)) return true
  const texts = await Promise.all(mentionPytest.map((name) => readText(folder, name)))
  return texts.some((text) => /\bpytest\b/.test(text))
}

const testFolder = async (folder: string): Promise<string | undefined> => {
  for (const name of testFolders) {
    const entries = await readdir(path.join(folder, name)).catch(() => [])
    if (entries.some((entry) => /^test.*\.py$/.test(entry))) return name
  }
  return undefined
}

const junitFile = ({ surroundings }: Project) => path.join(surroundings.scratch, 'pytest.xml')

const pytestCommand = (project: Project) => [
  ...['-m', 'pytest', '-o', 'junit_family=xunit1'],
  `--junitxml=${junitFile(project)}`,
]

/** A folder that is a package is imported from the root, any other is put on the path itself. */
const unittestCommand = async (folder: string, tests: string) => {
  const isPackage = tests !== '.' && (await exists(folder, `${tests}/__init__.py`))
  return ['-m', 'unittest', 'discover', '-v', '-s', tests, ...(isPackage ? ['-t', '.'] : [])]
}

const planFor = async (project: Project, source: string, args: string[], needs?: string): Promise<Plan> => {
  const { folder, install, surroundings } = project
  const venv = path.join(surroundings.scratch, 'venv')
  const host = await interpreter(surroundings.searchPath)
  return {
    source,
    command: [install ? path.join(venv, 'bin', 'python') : host, ...args],
    install: await installSteps(folder, host, venv, needs),
    env: await environmentFor(folder, install, venv, surroundings.searchPath),
    ...(needs === 'pytest' && { reports: { format: 'junit-xml', files: junitFile(project) } }),
  }
}

const interpreter = async (searchPath: string) => {
  const only = !(await findProgram('python3', searchPath)) && (await findProgram('python', searchPath))
  return only ? 'python' : 'python3'
}

const installSteps = async (folder: string, host: string, venv: string, needs?: string): Promise<string[][]> => {
  const requirements = [...(await requirementsOf(folder)), ...(needs ? [needs] : [])]
  const pip = [path.join(venv, 'bin', 'python'), '-m', 'pip', 'install']
  return [[host, '-m', 'venv', venv], ...(requirements.length > 0 ? [[...pip, ...requirements]] : [])]
}

/** What is not installed can still be imported from where it lies. */
const environmentFor = async (
  folder: string,
  install: boolean,
  venv: string,
  searchPath: string,
): Promise<Record<string, string>> => {
  if (install) return { VIRTUAL_ENV: venv, PATH: [path.join(venv, 'bin'), searchPath].join(path.delimiter) }
  return (await exists(folder, 'src')) ? { PYTHONPATH: path.join(folder, 'src') } : {}
}
