import { CommanderError } from 'commander'
import { CliError, exitCodes } from './failure.ts'
import { createProgram } from './program.ts'

/** A reader that has seen enough (`| head`) is no error; what was found until then decides the code. */
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(process.exitCode ?? exitCodes.ok)
    throw error
  })

/** An empty variable is as if it were not set: that is how shells and compose files leave one out. */
for (const name of Object.keys(process.env))
  if (name.startsWith('DEVCYCLE_') && process.env[name] === '') delete process.env[name]

const explain = (error: unknown): number => {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
  process.stderr.write(`devcycle: ${error instanceof Error ? error.message : String(error)}\n`)
  if (process.env.DEVCYCLE_DEBUG && error instanceof Error) process.stderr.write(`${error.stack}\n`)
  return error instanceof CliError ? error.exitCode : exitCodes.failed
}

try {
  await createProgram().parseAsync()
} catch (error) {
  process.exitCode = explain(error)
}
