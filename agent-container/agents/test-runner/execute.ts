import { stripVTControlCharacters } from 'node:util'
import type { AgentContext } from '#agent/sdk/index.ts'
import type { Execution } from './conclude.ts'
import { limits } from './contract.ts'
import type { Plan } from './find/plan.ts'
import { parseText } from './formats/text-formats.ts'
import { createKeptText } from './process/kept-text.ts'
import { createLogStream, type OutputStream } from './process/log-stream.ts'
import { runCommand } from './process/run-command.ts'
import { watchReports } from './read-report.ts'

export type Where = {
  folder: string
  env: Record<string, string>
  timeoutMs: number
  memoryBytes: number
}

/** Runs one command in the checkout, streams what it prints, and reads the report it left. */
export const execute = async (
  ctx: Pick<AgentContext, 'signal' | 'output'>,
  { command, env, events, reports }: Pick<Plan, 'command' | 'env' | 'events' | 'reports'>,
  where: Where,
): Promise<Execution> => {
  const kept = createKeptText()
  const log = createLogStream(ctx)
  const reader = events?.()
  const onLine = (stream: OutputStream, line: string) => {
    const shown = stream === 'stdout' && reader ? reader.line(line) : line
    if (shown === undefined) return
    kept.push(shown)
    log.line(stream, shown)
  }
  const readReports = await watchReports(reports, where.folder)
  const started = Date.now()
  const run = { ...where, command, cwd: where.folder, env: { ...where.env, ...env }, signal: ctx.signal, onLine }
  const ending = await runCommand(run).finally(log.flush)
  const durationMs = Date.now() - started
  const text = stripVTControlCharacters(kept.text())
  const tail = stripVTControlCharacters(kept.end(limits.output)).trim()
  const report = reader?.report() ?? (reports && (await readReports())) ?? parseText(text) ?? (await readReports())
  return { command, ending, text, tail, report, durationMs }
}
