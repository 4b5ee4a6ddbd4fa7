import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

export type Files = Record<string, string | Uint8Array>

/** A git repository in a temporary folder; `git` of this host, none of its configuration. */
export type TestRepository = {
  readonly folder: string
  /** Runs git there and answers what it printed, trimmed. */
  git(...args: string[]): string
  /** Writes, without a commit. */
  write(files: Files): void
  /** Writes, commits all, and answers the commit. */
  commit(files: Files, message?: string): string
  /** All refs and HEAD in one file outside of the repository. */
  bundle(...args: string[]): string
  remove(): void
}

const env = {
  PATH: process.env.PATH,
  HOME: '/nonexistent',
  LC_ALL: 'C',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_NAME: 'Ada',
  GIT_AUTHOR_EMAIL: 'ada@example.com',
  GIT_COMMITTER_NAME: 'Ada',
  GIT_COMMITTER_EMAIL: 'ada@example.com',
}

/** An empty repository on branch `main`, or one commit with the files given. */
export const aRepository = (files?: Files): TestRepository => {
  const root = mkdtempSync(path.join(tmpdir(), 'repository-'))
  const folder = path.join(root, 'work')
  mkdirSync(folder)
  let time = Date.UTC(2026, 0, 1) / 1000
  const git = (...args: string[]) => {
    const date = `${time} +0000`
    const dated = { ...env, GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date }
    return execFileSync('git', args, { cwd: folder, env: dated, encoding: 'utf8', stdio: 'pipe' }).trim()
  }
  const write = (changed: Files) => {
    for (const [name, content] of Object.entries(changed)) {
      mkdirSync(path.dirname(path.join(folder, name)), { recursive: true })
      writeFileSync(path.join(folder, name), content)
    }
  }
  const commit = (changed: Files, message = 'change') => {
    write(changed)
    time += 60
    git('add', '--all', '--force')
    git('commit', '--quiet', '--allow-empty', '--message', message)
    return git('rev-parse', 'HEAD')
  }
  const bundle = (...args: string[]) => {
    const file = path.join(root, `${time}.bundle`)
    git('bundle', 'create', '--quiet', file, ...(args.length > 0 ? args : ['--all', 'HEAD']))
    return file
  }
  git('init', '--quiet', '--initial-branch=main')
  if (files) commit(files, 'first')
  return { folder, git, write, commit, bundle, remove: () => rmSync(root, { recursive: true, force: true }) }
}
