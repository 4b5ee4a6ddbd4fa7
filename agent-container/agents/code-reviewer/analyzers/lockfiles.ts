import path from 'node:path'
import type { Analyzer, Subject } from '../analyzer.ts'
import type { Remark } from '../finding.ts'
import type { SourceFile } from '../source/source-files.ts'
import { createLocator } from './locate.ts'
import { checkSources, type Problem } from './lockfiles/check-sources.ts'
import { readNpmPackages, wantedBy } from './lockfiles/npm-lockfile.ts'
import { readIfThere } from './read-if-there.ts'

const kinds: Record<string, (subject: Subject, file: SourceFile, content: string) => Promise<Problem[]>> = {
  'package-lock.json': async (subject, file, content) => [
    ...checkSources({ content, type: 'npm', hosts: await allowedHosts(subject, file) }),
    ...(await differences(subject, file, content)),
  ],
  'npm-shrinkwrap.json': async (subject, file, content) =>
    checkSources({ content, type: 'npm', hosts: await allowedHosts(subject, file) }),
  'yarn.lock': async (subject, file, content) =>
    checkSources({ content, type: 'yarn', hosts: await allowedHosts(subject, file) }),
  'pnpm-lock.yaml': async (_subject, _file, content) => insecureTarballs(content),
  'go.mod': withoutChecksums,
}

/** Where dependencies come from, and whether they can be told apart from others of the same name. */
export const lockfiles: Analyzer = {
  id: 'lockfiles',
  looksAt: 'lockfiles of npm, yarn, pnpm or Go',
  applies: (file) => kinds[path.posix.basename(file.path)] !== undefined && !file.test,
  run: async function* (subject) {
    for (const file of subject.files) {
      subject.signal.throwIfAborted()
      yield* await check(subject, file)
      subject.advance(1)
    }
  },
}

/** Told one by one, where each may need its own answer; the rest of a kind in one. */
const mostOfAKind = 5
const toldTogether = new Set(['lockfile/weak-integrity', 'lockfile/no-integrity'])

const check = async (subject: Subject, file: SourceFile): Promise<Remark[]> => {
  const content = await subject.read(file)
  const lineOf = createLocator(content)
  const remarks = (await problemsOf(subject, file, content))
    .map(({ mark, ...problem }) => ({ ...problem, file: file.path, line: lineOf(mark) }))
    .filter(({ line }) => subject.concerns(file.path, line))
  return [...Map.groupBy(remarks, ({ rule }) => rule)].flatMap(([rule, alike]) =>
    summarized(alike, toldTogether.has(rule) ? 0 : mostOfAKind),
  )
}

const summarized = (alike: Remark[], most: number): Remark[] => {
  const next = alike[most]
  const rest = alike.length - most - 1
  if (!next || rest < 1) return alike
  return [...alike.slice(0, most), { ...next, message: `${next.message}, and ${rest} more packages like it` }]
}

const problemsOf = async (subject: Subject, file: SourceFile, content: string): Promise<Problem[]> => {
  try {
    return (await kinds[path.posix.basename(file.path)]?.(subject, file, content)) ?? []
  } catch (error) {
    const conflict = /^(<{7}|>{7}) /m.test(content)
    const reason = conflict
      ? 'it has unresolved merge conflicts'
      : error instanceof Error
        ? error.message
        : String(error)
    const message = `the lockfile cannot be read: ${reason.split('\n')[0]}`
    return [{ rule: 'lockfile/unreadable', severity: 'error', message, mark: '<<<<<<< ' }]
  }
}

const registries = ['registry.npmjs.org', 'registry.yarnpkg.com']

/** The public registries, and those that the repository itself names. */
const allowedHosts = async (subject: Subject, lockfile: SourceFile): Promise<string[]> => {
  const folders = new Set(['.', path.posix.dirname(lockfile.path)])
  const settings = [...folders].flatMap((folder) => settingsFiles.map((name) => path.posix.join(folder, name)))
  const texts = await Promise.all(settings.map((file) => readIfThere(subject, file)))
  const named = texts.flatMap((text = '') => [...text.matchAll(/registry\S*[\s=:"']+(https?:\/\/[^\s"']+)/gi)])
  return [...registries, ...named.flatMap(([, url = '']) => URL.parse(url)?.host ?? [])]
}
const settingsFiles = ['.npmrc', '.yarnrc', '.yarnrc.yml']

/** What the manifest next to the lockfile wants, and the lockfile does not know, or knows differently. */
const differences = async (subject: Subject, file: SourceFile, content: string): Promise<Problem[]> => {
  const root = readNpmPackages(content)['']
  const beside = path.posix.join(path.posix.dirname(file.path), 'package.json')
  const manifest = await readIfThere(subject, beside)
  if (!root || manifest === undefined) return []
  const wanted = wantedBy(JSON.parse(manifest))
  const locked = wantedBy(root)
  const names = new Set([...wanted.keys(), ...locked.keys()])
  return [...names]
    .filter((name) => wanted.get(name) !== locked.get(name))
    .map((name) => ({
      rule: 'lockfile/out-of-date',
      severity: 'warning',
      message: `${beside} wants ${name} ${wanted.get(name) ?? 'no more'}, the lockfile ${locked.get(name) ?? 'does not know it'}: run npm install`,
      mark: `"${name}"`,
    }))
}

const insecureTarballs = (content: string): Problem[] =>
  [...content.matchAll(/tarball: ((?:http|git):\/\/([^\s},]+))/g)].map(([, url = '', rest = '']) => ({
    rule: 'lockfile/insecure-url',
    severity: 'error',
    message: `${rest} is fetched without encryption`,
    mark: url,
  }))

/** A module that requires others needs the hashes of what it requires. */
async function withoutChecksums(subject: Subject, file: SourceFile, content: string): Promise<Problem[]> {
  const beside = path.posix.join(path.posix.dirname(file.path), 'go.sum')
  const requires = /^(require\s|\t[\w.-]+\.[\w.-]+\/\S+ v)/m.exec(content)
  if (!requires || (await readIfThere(subject, beside)) !== undefined) return []
  const message = 'modules are required, but there is no go.sum with their hashes: run go mod tidy'
  return [{ rule: 'lockfile/no-integrity', severity: 'warning', message, mark: requires[0].trim() }]
}
