import type { ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { LogLevel, Telemetry } from '../platform.ts'

const levels = new Set(['debug', 'info', 'warn', 'error'])
type Line = { level: LogLevel; message: string; fields: Record<string, unknown> }

/** A runner prints JSON lines; Node, and the agent's own code, print what they like. */
const parseLine = (text: string): Line => {
  try {
    const { level, message, time: _, ...fields } = JSON.parse(text) as Record<string, unknown>
    if (levels.has(String(level)) && typeof message === 'string') return { level: level as LogLevel, message, fields }
  } catch {
    // not ours
  }
  return { level: /^\w*Error\b.*:/.test(text) ? 'error' : 'info', message: text, fields: {} }
}

/** Logs what an agent's process prints; answers the last error among it. */
export const logLines = (telemetry: Telemetry, agent: string, child: ChildProcess): (() => string | undefined) => {
  let lastError: string | undefined
  const log = (text: string): void => {
    const { level, message, fields } = parseLine(text)
    if (level === 'error') lastError = message
    telemetry.log(level, message, { ...fields, agent, from: 'agent' })
  }
  for (const stream of [child.stdout, child.stderr]) if (stream) createInterface({ input: stream }).on('line', log)
  return () => lastError
}
