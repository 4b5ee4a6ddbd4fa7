import { createRequire } from 'node:module'
import type { Severity } from '../../finding.ts'
import { folderName, readNpmPackages } from './npm-lockfile.ts'

/** A package whose source is doubtful; `mark` stands in the lockfile where it is told of. */
export type Problem = { rule: string; severity: Severity; message: string; mark: string }

type Entry = { version?: string; resolved?: string; integrity?: string; checksum?: string }
type Packages = Record<string, Entry>
type Validation = { errors: { package: string; message: string }[] }
type Validator<Arguments extends unknown[]> = new (options: {
  packages: Packages
}) => {
  validate(...given: Arguments): Validation
}
type Api = {
  ParseLockfile: new (options: { lockfileText: string; lockfileType: string }) => { parseSync(): { object: Packages } }
  ValidateHost: Validator<[hosts: string[]]>
  ValidateScheme: Validator<[schemes: string[]]>
  ValidateIntegrity: Validator<[]>
  ValidatePackageNames: Validator<[aliases: string[]]>
}

/** `git+ssh:` authenticates the host; local schemes fetch nothing. */
const safeSchemes = [
  'https:',
  'git+https:',
  'git+ssh:',
  'ssh:',
  'npm:',
  'file:',
  'link:',
  'portal:',
  'workspace:',
  'patch:',
  'virtual:',
]

export type SourceOptions = { content: string; type: 'npm' | 'yarn'; hosts: string[] }

/** Where the packages of a lockfile come from, by lockfile-lint; what it cannot parse it throws. */
export const checkSources = ({ content, type, hosts }: SourceOptions): Problem[] => {
  const api = createRequire(import.meta.url)('lockfile-lint-api') as Api
  const packages = new api.ParseLockfile({ lockfileText: content, lockfileType: type }).parseSync().object
  const fetched = Object.fromEntries(Object.entries(packages).filter(([, { resolved }]) => resolved !== undefined))
  const overNetwork = Object.fromEntries(
    Object.entries(fetched).filter(([, { resolved }]) => /^https?:/.test(resolved ?? '')),
  )
  const aliases = aliasesOf(content, type)
  const marked = toProblems(packages)
  return [
    ...marked(
      'insecure-url',
      'error',
      'is fetched without encryption',
      new api.ValidateScheme({ packages: fetched }).validate(safeSchemes),
    ),
    ...marked(
      'unknown-host',
      'warning',
      'is fetched from another host than the registry',
      new api.ValidateHost({ packages: overNetwork }).validate(hosts),
    ),
    ...marked(
      'other-package',
      'error',
      'is fetched from the address of another package',
      new api.ValidatePackageNames({ packages: overNetwork }).validate(aliases),
    ),
    ...marked(
      'weak-integrity',
      'info',
      'is checked by a hash that is weaker than SHA-512',
      new api.ValidateIntegrity({ packages }).validate(),
    ),
    ...marked('no-integrity', 'warning', 'has no integrity hash', { errors: withoutIntegrity(overNetwork) }),
  ]
}

const toProblems = (packages: Packages) => {
  // One of the validators names packages without their version.
  const byName = new Map(Object.entries(packages).map(([key, entry]) => [nameOf(key), entry]))
  return (rule: string, severity: Severity, what: string, { errors }: Validation): Problem[] =>
    errors.map(({ package: key }) => {
      const name = nameOf(key)
      const entry = packages[key] ?? byName.get(name)
      const message = `${name} ${what}${hostOf(entry)}`
      return { rule: `lockfile/${rule}`, severity, message, mark: entry?.resolved ?? name }
    })
}

/** `@scope/name` of `@scope/name@version-hash`. */
const nameOf = (key: string): string => /^@?[^@]+/.exec(key)?.[0] ?? key

const hostOf = (entry: Entry | undefined): string => {
  const url = URL.parse(entry?.resolved ?? '')
  return url?.host ? ` (${url.protocol}//${url.host})` : ''
}

const withoutIntegrity = (packages: Packages): Validation['errors'] =>
  Object.entries(packages)
    .filter(
      ([, { integrity, checksum, resolved }]) => !integrity && !checksum && !/#[0-9a-f]{40}$/.test(resolved ?? ''),
    )
    .map(([key]) => ({ package: key, message: '' }))

/** Packages that are installed under another name on purpose, as `name:other`. */
const aliasesOf = (content: string, type: 'npm' | 'yarn'): string[] => {
  if (type === 'npm') {
    const packages = Object.entries(readNpmPackages(content))
    return packages.flatMap(([folder, { name }]) => (name === undefined ? [] : [`${folderName(folder)}:${name}`]))
  }
  const found = content.matchAll(/^"?(@[^@\s"]+|[^@\s"]+)@npm:(@?[^@\s"]+)@/gm)
  return [...found].map(([, name, other]) => `${name}:${other}`)
}
