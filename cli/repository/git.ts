import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { usageError } from '../failure.ts'

const run = promisify(execFile)

/** Inside a hook these point at another repository than the one that was named. */
const localVariables =
  /^GIT_(DIR|WORK_TREE|INDEX_FILE|OBJECT_DIRECTORY|COMMON_DIR|NAMESPACE|PREFIX|ALTERNATE_\w+|CEILING_\w+)$/

const environment = (): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !localVariables.test(name))),
  GIT_OPTIONAL_LOCKS: '0',
  GIT_TERMINAL_PROMPT: '0',
  LC_ALL: 'C',
})

/** Nothing that a repository configures is run. */
const settings = ['core.fsmonitor=false', 'core.hooksPath=/dev/null', 'core.quotePath=false'].flatMap((one) => [
  '-c',
  one,
])

export type Git = (...args: string[]) => Promise<string>

/** `git` in a folder of this machine: answers what it printed, without the end of its last line. */
export const createGit =
  (folder: string, signal?: AbortSignal): Git =>
  async (...args) => {
    const options = { env: environment(), maxBuffer: 1 << 28, signal }
    try {
      return (await run('git', [...settings, '-C', folder, ...args], options)).stdout.replace(/\n+$/, '')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT')
        throw usageError('git is needed for a repository on this machine, and was not found on PATH')
      throw error
    }
  }

/** What git complained about, in one line. */
export const complaint = (error: unknown): string => {
  const { stderr, message } = error as { stderr?: string; message?: string }
  const lines = (stderr || message || String(error)).split('\n').filter((line) => line.trim() !== '')
  const line = lines.find((one) => one.startsWith('fatal:')) ?? lines.at(-1) ?? ''
  return line.replace(/^(fatal|error): /, '').trim()
}
