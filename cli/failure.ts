/** What a shell is told: scripts and CI decide by these. */
export const exitCodes = {
  ok: 0,
  findings: 1,
  failed: 1,
  usage: 2,
  notAuthenticated: 3,
  notFound: 4,
  taskFailed: 5,
  unreachable: 6,
  interrupted: 130,
  terminated: 143,
} as const

/** A failure that is told in one line and ends the command with a code. */
export class CliError extends Error {
  readonly exitCode: number

  constructor(message: string, exitCode: number, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'CliError'
    this.exitCode = exitCode
  }
}

export const usageError = (message: string): CliError => new CliError(message, exitCodes.usage)
