#!/usr/bin/env node
import { CommanderError } from 'commander'
import { CliError, exitCodes } from './failure.ts'
import { createProgram } from './program.ts'

/** A reader that has seen enough (`| head`) is no error. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(exitCodes.ok)
  throw error
})

const explain = (error: unknown): number => {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
  if (error instanceof CliError) {
    process.stderr.write(`devcycle: ${error.message}\n`)
    return error.exitCode
  }
  process.stderr.write(`devcycle: ${error instanceof Error ? error.message : String(error)}\n`)
  if (process.env.DEVCYCLE_DEBUG && error instanceof Error) process.stderr.write(`${error.stack}\n`)
  return 1
}

try {
  await createProgram().parseAsync()
} catch (error) {
  process.exitCode = explain(error)
}
