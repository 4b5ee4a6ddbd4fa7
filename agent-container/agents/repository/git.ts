import { spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'

/** `git` in one folder, deaf to the host's configuration, hooks, filters, credentials and prompts. */
export type Git = {
  readonly folder: string
  /** What it printed, trimmed at the end; a `GitError` when it did not succeed. */
  run(...args: string[]): Promise<string>
  /** Line by line, for output that may be long. */
  lines(...args: string[]): AsyncGenerator<string>
  /** As `lines`, for what was asked with `-z`. */
  records(...args: string[]): AsyncGenerator<string>
  /** As `lines`, with something to read on its standard input. */
  feed(input: Iterable<string>, ...args: string[]): AsyncGenerator<string>
}

export type GitOptions = {
  folder: string
  /** An empty folder, so that no one's `.netrc` or key is found. */
  home: string
  signal?: AbortSignal | undefined
}

export class GitError extends Error {
  readonly stderr: string

  constructor(args: readonly string[], code: number | null, stderr: string) {
    super(`git ${args[0]} ended with ${code}: ${lastLine(stderr)}`)
    this.name = 'GitError'
    this.stderr = stderr
  }
}

/** The line of git's complaint that says most. */
export const lastLine = (stderr: string): string => {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '')
  const line = lines.find((one) => one.startsWith('fatal:')) ?? lines.at(-1) ?? 'it said nothing'
  return line.replace(/^(fatal|error): /, '').trim()
}

const settings = [
  'advice.detachedHead=false',
  'core.askPass=',
  'core.attributesFile=/dev/null',
  'core.autocrlf=false',
  'core.excludesFile=/dev/null',
  'core.fsmonitor=false',
  'core.hooksPath=/dev/null',
  'core.protectHFS=true',
  'core.protectNTFS=true',
  'core.quotePath=false',
  'credential.helper=',
  'diff.external=',
  'fetch.recurseSubmodules=false',
  'gc.auto=0',
  'maintenance.auto=false',
  'protocol.allow=never',
  'submodule.recurse=false',
].flatMap((setting) => ['-c', setting])

/** What a company's network needs to be reached; nothing else of the host's environment gets through. */
const inherited = [
  ...['PATH', 'TMPDIR', 'GIT_SSL_CAINFO', 'GIT_SSL_CAPATH', 'SSL_CERT_FILE', 'SSL_CERT_DIR'],
  ...['https_proxy', 'HTTPS_PROXY', 'all_proxy', 'ALL_PROXY', 'no_proxy', 'NO_PROXY'],
]

const environment = (home: string): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(inherited.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : []))),
  HOME: home,
  XDG_CONFIG_HOME: home,
  LC_ALL: 'C',
  GIT_ASKPASS: '',
  GIT_ATTR_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_LFS_SKIP_SMUDGE: '1',
  GIT_OPTIONAL_LOCKS: '0',
  GIT_TERMINAL_PROMPT: '0',
  SSH_ASKPASS: '',
})

export const createGit = ({ folder, home, signal }: GitOptions): Git => {
  const start = (args: string[], input: Iterable<string> = []) => {
    const child = spawn('git', [...settings, ...args], { cwd: folder, env: environment(home), signal })
    const ended = new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve))
    // A git that stops reading says why on stderr.
    pipeline(input, child.stdin).catch(() => undefined)
    const done = settle(args, ended, text(child.stderr))
    // Whoever reads the output to its end awaits it; until then a failure must not count as unhandled.
    done.catch(() => undefined)
    return { child, stdout: child.stdout, done }
  }
  const read = async function* ({ child, stdout, done }: ReturnType<typeof start>, split: Split) {
    try {
      yield* split(stdout)
      await done
    } finally {
      child.kill()
      await done.catch(() => undefined)
    }
  }
  return {
    folder,
    run: async (...args) => {
      const { stdout, done } = start(args)
      const [output] = await Promise.all([text(stdout), done])
      return output.trimEnd()
    },
    lines: (...args) => read(start(args), splitAt('\n')),
    records: (...args) => read(start(args), splitAt('\0')),
    feed: (input, ...args) => read(start(args, input), splitAt('\n')),
  }
}

type Split = (stdout: Readable) => AsyncIterable<string>

const settle = async (args: string[], ended: Promise<number | null>, stderr: Promise<string>): Promise<void> => {
  const [code, complaint] = await Promise.all([ended, stderr])
  if (code !== 0) throw new GitError(args, code, complaint)
}

const splitAt = (separator: string): Split =>
  async function* (stdout) {
    stdout.setEncoding('utf8')
    let rest = ''
    for await (const chunk of stdout as AsyncIterable<string>) {
      const parts = (rest + chunk).split(separator)
      rest = parts.pop() ?? ''
      yield* parts
    }
    if (rest !== '') yield rest
  }
