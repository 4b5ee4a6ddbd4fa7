import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { eventually } from './eventually.ts'

const cli = fileURLToPath(new URL('../../cli/devcycle.ts', import.meta.url))

export type CliOptions = {
  /** Besides the surroundings of the test, without its own `DEVCYCLE_*`. */
  env?: Record<string, string>
  cwd?: string
  /** Standard input. @default none */
  input?: string
}
export type CliResult = { code: number | null; stdout: string; stderr: string }

const surroundings = (): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(DEVCYCLE_|FORCE_COLOR$)/.test(name)))

/** Starts the CLI as a process and collects what it prints. */
export const startCli = (args: string[], { env = {}, cwd, input }: CliOptions = {}) => {
  const child = spawn(process.execPath, [cli, ...args], {
    cwd,
    env: { ...surroundings(), NO_COLOR: '1', ...env },
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  })
  child.stdin?.end(input)
  const text = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const)
    child[name]?.setEncoding('utf8').on('data', (part: string) => {
      text[name] += part
    })
  const ended = new Promise<CliResult>((resolve) => child.once('close', (code) => resolve({ code, ...text })))
  return {
    child,
    ended,
    /** Resolves when it has printed this. */
    printed: (part: string) =>
      eventually(() => {
        if (!`${text.stdout}${text.stderr}`.includes(part)) throw new Error(`not printed yet: ${part}; ${text.stderr}`)
      }),
  }
}

/** Runs the CLI to its end. */
export const runCli = (args: string[], env: Record<string, string> = {}): Promise<CliResult> =>
  startCli(args, { env }).ended
