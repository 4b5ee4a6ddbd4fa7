import { readFileSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { describe, expect, it } from 'vitest'
import { textOf, trackedFiles } from './tracked-files.ts'

type LockedPackage = {
  resolved?: string
  integrity?: string
  link?: boolean
  inBundle?: boolean
  hasInstallScript?: boolean
  dependencies?: Record<string, string>
  optionalDependencies?: Record<string, string>
}

const json = (file: string) => JSON.parse(readFileSync(file, 'utf8'))
const packageJson = json('package.json') as Record<string, Record<string, string | boolean>>
const lock = (json('package-lock.json') as { packages: Record<string, LockedPackage> }).packages

/** Where node would look for a package that the one at `place` asks for. */
const lookUp = (place: string, name: string): boolean =>
  `${place}/node_modules/${name}` in lock ||
  `node_modules/${name}` in lock ||
  (place.includes('/node_modules/') && lookUp(place.replace(/\/node_modules\/(?:@[^/]+\/)?[^/]+$/, ''), name))

const lines = (text: string): number => text.split('\n').length - (text.endsWith('\n') ? 1 : 0)
const isSource = (file: string): boolean => /\.(ts|tsx|cjs|mjs)$/.test(file) && !file.includes('/fixtures/')

/** What only one machine knows: where its folders are, the host that its packages happen to come from. */
const ofOneMachine = (text: string): string[] => [
  ...[`${process.cwd()}/`, `${homedir()}/`].filter((folder) => text.includes(folder)),
  ...(text.match(/^\s*(?:registry|index-url)\s*=\s*http.*/m) ?? []),
]

describe('the repository', () => {
  it('pins every dependency to one version', () => {
    const sections = ['dependencies', 'devDependencies', 'optionalDependencies']
    const loose = sections.flatMap((section) =>
      Object.entries(packageJson[section] ?? {}).filter(
        ([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(String(version)),
      ),
    )
    expect(loose).toEqual([])
  })

  it('has a lockfile that knows checksums and no registry', () => {
    const installed = Object.entries(lock).filter(([name, { link, inBundle }]) => name !== '' && !link && !inBundle)
    expect(installed.length).toBeGreaterThan(100)
    expect(installed.filter(([, { resolved }]) => resolved !== undefined)).toEqual([])
    expect(installed.filter(([, { integrity }]) => integrity === undefined)).toEqual([])
  })

  it('has a lockfile with the packages of every platform', () => {
    const missing = Object.entries(lock).flatMap(([place, { dependencies, optionalDependencies }]) =>
      Object.keys({ ...dependencies, ...optionalDependencies })
        .filter((name) => !lookUp(place, name))
        .map((name) => `${place} → ${name}`),
    )
    expect(missing).toEqual([])
  })

  it('decides about every install script', () => {
    const withScript = Object.entries(lock).flatMap(([name, { hasInstallScript }]) =>
      hasInstallScript ? [name.replace(/^.*node_modules\//, '')] : [],
    )
    expect(withScript.filter((name) => packageJson.allowScripts?.[name] === undefined && name !== 'fsevents')).toEqual(
      [],
    )
  })

  it('has no source file over 400 lines', () => {
    const long = trackedFiles().filter((file) => isSource(file) && lines(textOf(file) ?? '') > 400)
    expect(long).toEqual([])
  })

  it('says nothing of the machine it was written on', () => {
    const found = trackedFiles()
      .filter((file) => statSync(file).size < 2_000_000)
      .flatMap((file) => ofOneMachine(textOf(file) ?? '').map((what) => `${file}: ${what}`))
    expect(found).toEqual([])
  })

  it('names its files in kebab case', () => {
    const odd = trackedFiles().filter(
      (file) => isSource(file) && !/^\.?[a-z0-9]+([.-][a-z0-9]+)*$/.test(file.split('/').at(-1) ?? ''),
    )
    expect(odd).toEqual([])
  })
})
