import path from 'node:path'
import * as z from 'zod'
import type { Analyzer, Subject } from '../analyzer.ts'
import type { Remark } from '../finding.ts'
import type { SourceFile } from '../source/source-files.ts'
import { isSpdx, judge } from './licences/spdx.ts'
import { createLocator } from './locate.ts'
import { folderName, type NpmEntry, readNpmPackages } from './lockfiles/npm-lockfile.ts'
import { readIfThere } from './read-if-there.ts'

const manifests = new Set(['package.json', 'pyproject.toml', 'Cargo.toml', 'go.mod', 'setup.py', 'composer.json'])
const isRoot = (file: SourceFile) => !file.path.includes('/')

/** Whether a licence is declared, and what the licences of locked dependencies ask; nothing is looked up elsewhere. */
export const licences: Analyzer = {
  id: 'licences',
  looksAt: 'manifests or npm lockfiles',
  applies: (file) =>
    !file.test &&
    /(^|\/)(package(-lock)?\.json|pyproject\.toml|Cargo\.toml|go\.mod|setup\.py|composer\.json)$/.test(file.path),
  run: async function* (subject) {
    for (const file of subject.files) {
      subject.signal.throwIfAborted()
      const name = path.posix.basename(file.path)
      if (name === 'package.json') yield* await checkExpression(subject, file)
      if (name === 'package-lock.json') yield* await checkDependencies(subject, file)
      subject.advance(1)
    }
    yield* await checkDeclared(subject)
    noteUnchecked(subject)
  },
}

const manifestSchema = z.object({ license: z.unknown().optional(), private: z.boolean().optional() })

const readManifest = (content: string | undefined) => {
  try {
    return manifestSchema.parse(JSON.parse(content ?? ''))
  } catch {
    return undefined
  }
}

/** npm's own words for no licence, and for one that is told elsewhere. */
const npmWords = /^(UNLICENSED|SEE LICEN[CS]E IN .+)$/i

const checkExpression = async (subject: Subject, file: SourceFile): Promise<Remark[]> => {
  const content = await subject.read(file)
  const licence = readManifest(content)?.license
  if (typeof licence !== 'string' || npmWords.test(licence) || isSpdx(licence)) return []
  const message = `"${licence}" is no SPDX licence expression: programs cannot tell what it allows; write for instance MIT, or UNLICENSED`
  return [
    {
      file: file.path,
      line: createLocator(content)('"license"'),
      severity: 'warning',
      rule: 'licence/not-spdx',
      message,
    },
  ]
}

const licenceText =
  /^(licen[cs]e|copying|unlicense|licen[cs]es\/.*|licen[cs]e[-.].*|copying[-.].*|.*[-.]licen[cs]e)(\.(md|txt|rst|html))?$/i
const licenceField = /^\s*("?licen[cs]es?"?|licen[cs]e-files|classifiers)\s*[:=].*\S|License ::|license\s*=\s*['"]/im

/** A repository without any word of it may not be used by anyone. */
const checkDeclared = async (subject: Subject): Promise<Remark[]> => {
  const manifest = subject.files.find((file) => isRoot(file) && manifests.has(path.posix.basename(file.path)))
  if (!manifest || subject.everything.some(({ path: file }) => licenceText.test(file))) return []
  const content = await subject.read(manifest)
  const parsed = readManifest(content)
  if (parsed?.license !== undefined || licenceField.test(content)) return []
  const message = 'no licence is declared, neither here nor in a LICENSE file: nobody may use, change or share this'
  const severity = parsed?.private ? 'info' : 'warning'
  return [{ file: manifest.path, line: 1, severity, rule: 'licence/not-declared', message }]
}

const checkDependencies = async (subject: Subject, file: SourceFile): Promise<Remark[]> => {
  const content = await subject.read(file)
  const packages = Object.entries(readPackages(content))
  const own = readManifest(
    await readIfThere(subject, path.posix.join(path.posix.dirname(file.path), 'package.json')),
  )?.license
  // Under the same terms there is nothing to be careful about.
  if (typeof own === 'string' && judge(own) === 'copyleft') return []
  const lineOf = createLocator(content)
  return packages.flatMap(([folder, entry]) => {
    const licence = licenceOf(entry)
    if (!folder.includes('node_modules/') || entry.dev || licence === undefined) return []
    const told = judgements[npmWords.test(licence) ? 'unclear' : judge(licence)]
    if (!told) return []
    return [
      {
        file: file.path,
        line: lineOf(`"${folder}"`),
        ...told,
        message: `${folderName(folder)} is under ${licence}: ${told.message}`,
      },
    ]
  })
}

const judgements = {
  fine: undefined,
  copyleft: {
    severity: 'warning',
    rule: 'licence/copyleft-dependency',
    message: 'what is distributed or offered with it must be under the same terms',
  },
  unclear: { severity: 'info', rule: 'licence/unclear-dependency', message: 'read what it allows' },
} as const

const readPackages = (content: string): Record<string, NpmEntry> => {
  try {
    return readNpmPackages(content)
  } catch {
    // The lockfile analyzer tells.
    return {}
  }
}

/** As a text, from before SPDX as well: `{type}`, and lists of such, any of which will do. */
const licenceOf = ({ license }: NpmEntry): string | undefined => {
  const one = z.union([z.string(), z.object({ type: z.string() }).transform(({ type }) => type)])
  const parsed = z
    .union([
      one,
      z
        .array(one)
        .nonempty()
        .transform((all) => `(${all.join(' OR ')})`),
    ])
    .safeParse(license)
  return parsed.data
}

const withoutLicences: [kind: string, pattern: RegExp][] = [
  ['Go', /^go\.mod$/],
  ['Python', /^(pyproject\.toml|setup\.py)$/],
  ['Rust', /^Cargo\.toml$/],
  ['yarn', /^yarn\.lock$/],
  ['pnpm', /^pnpm-lock\.yaml$/],
]

const noteUnchecked = (subject: Subject): void => {
  const names = new Set(subject.everything.map((file) => path.posix.basename(file.path)))
  const kinds = withoutLicences
    .filter(([, pattern]) => [...names].some((name) => pattern.test(name)))
    .map(([kind]) => kind)
  if (kinds.length > 0)
    subject.note(`licences of ${kinds.join(', ')} dependencies are not in their lockfiles: not checked`)
}
