import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { Unavailable } from '../analyzer.ts'

export type ToolOptions = { program: string; args: string[]; cwd: string; signal: AbortSignal }
export type ToolOutput = { code: number | null; stdout: string; stderr: string }

/** Runs a program by its path, with nothing of this process's environment but the search path. */
export const runTool = async ({ program, args, cwd, signal }: ToolOptions): Promise<ToolOutput> => {
  const env = { PATH: process.env.PATH, HOME: cwd, TMPDIR: cwd, LC_ALL: 'C', NO_COLOR: '1', CI: '1' }
  const child = spawn(program, args, { cwd, env, signal, killSignal: 'SIGKILL', stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve))
  try {
    const [code, stdout, stderr] = await Promise.all([ended, text(child.stdout), text(child.stderr)])
    return { code, stdout, stderr }
  } catch (error) {
    signal.throwIfAborted()
    const reason = error instanceof Error ? error.message : String(error)
    throw new Unavailable(`${program} cannot be started: ${reason}`)
  }
}

/** In portions, so that neither a command line nor an answer grows without bound. */
export const inBatches = function* <T>(items: readonly T[], size: number): Generator<T[]> {
  for (let at = 0; at < items.length; at += size) yield items.slice(at, at + size)
}
