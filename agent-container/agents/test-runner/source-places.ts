import path from 'node:path'
import type { TestFailure } from './formats/report.ts'
import { walkFiles } from './walk-files.ts'

/** The files of the checkout by their base name. */
const filesByName = async (folder: string, wanted: Set<string>): Promise<Map<string, string[]>> => {
  const found = new Map<string, string[]>()
  if (wanted.size === 0) return found
  for await (const file of walkFiles(folder)) {
    const name = path.basename(file)
    if (wanted.has(name)) found.set(name, [...(found.get(name) ?? []), file])
  }
  return found
}

const suffixes = (file: string): string[] => {
  const parts = file.split(/[/\\]/).filter((part) => part !== '' && part !== '.')
  return parts.map((_part, at) => parts.slice(at).join('/'))
}

/** The only file of the checkout that ends in the longest possible end of the printed path. */
const locate = (file: string, files: string[]): string | undefined => {
  for (const suffix of suffixes(file)) {
    const matches = files.filter((one) => one === suffix || one.endsWith(`/${suffix}`))
    if (matches.includes(suffix)) return suffix
    if (matches.length === 1) return matches[0]
  }
  return undefined
}

/**
 * Failures with files as paths from the checkout's root, whatever folder, package or class path a tool printed.
 * A path that leads nowhere in the checkout stays as it was printed.
 */
export const locateSources = async (failures: TestFailure[], folder: string): Promise<TestFailure[]> => {
  const printed = failures.flatMap(({ file }) => file ?? [])
  const files = await filesByName(folder, new Set(printed.map((file) => path.basename(file))))
  return failures.map((failure) => {
    if (failure.file === undefined) return failure
    const inside = path.isAbsolute(failure.file) ? path.relative(folder, failure.file) : failure.file
    const file = locate(inside, files.get(path.basename(inside)) ?? []) ?? failure.file
    return { ...failure, file, name: failure.name === failure.file ? file : failure.name }
  })
}
