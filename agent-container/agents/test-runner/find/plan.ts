import { access, readFile } from 'node:fs/promises'
import path from 'node:path'
import type { Report } from '../formats/report.ts'
import type { Surroundings } from '../process/environment.ts'

/** Where a command leaves a machine-readable report. */
export type ReportFiles = {
  format: 'jest-json' | 'junit-xml'
  /** One file outside of the repository, or a pattern of paths from its root. */
  files: string | RegExp
}

/** Stands between a command's output and its reader when that output is events, not text. */
export type EventReader = { line(text: string): string | undefined; report(): Report | undefined }

/** How to run a project's tests. */
export type Plan = {
  /** `package.json`, `go.mod` …: what told. */
  source: string
  command: string[]
  /** Run first, in this order, when the task asks for an installation; empty when there is nothing to install. */
  install: string[][]
  env?: Record<string, string>
  /** Programs that have to be there besides. */
  needs?: string[]
  reports?: ReportFiles
  events?: () => EventReader
  /** Why the command cannot work as things are. */
  blocked?: { status: 'error' | 'toolchain-missing'; reason: string }
}

export type Project = {
  /** The checkout. */
  folder: string
  install: boolean
  surroundings: Surroundings
}

/** Answers a plan when the project is of its kind. */
export type Finder = (project: Project) => Promise<Plan | undefined>

export const dependenciesMissing = (detail: string) => `${detail}: dependencies are not installed; pass install: true`

export const exists = (folder: string, name: string): Promise<boolean> =>
  access(path.join(folder, name)).then(
    () => true,
    () => false,
  )

/** The first of the names that exists in the folder. */
export const firstExisting = async (folder: string, names: string[]): Promise<string | undefined> => {
  for (const name of names) if (await exists(folder, name)) return name
  return undefined
}

/** `''` when there is no such file. */
export const readText = (folder: string, name: string): Promise<string> =>
  readFile(path.join(folder, name), 'utf8').catch(() => '')
