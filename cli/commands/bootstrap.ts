import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda'
import { CliError, exitCodes } from '../failure.ts'
import { printJson } from '../render/print.ts'

type Options = { stage: string; function?: string; json?: boolean }

/** Asks a deployment's bootstrap function, which only IAM callers may invoke, for an administrator's key. */
export const bootstrap = async (options: Options): Promise<void> => {
  const name = options.function ?? `devcycle-${options.stage}-bootstrap`
  const answer = await invoke(name)
  if (options.json) return printJson(answer)
  process.stderr.write('keep this key: it is shown only now\n')
  process.stdout.write(`${answer.apiKey}\n`)
}

const invoke = async (name: string): Promise<{ apiKey: string }> => {
  try {
    const { Payload, FunctionError } = await new LambdaClient({}).send(
      new InvokeCommand({ FunctionName: name, Payload: '{}' }),
    )
    const text = Buffer.from(Payload ?? []).toString('utf8')
    if (FunctionError !== undefined) throw new CliError(`the bootstrap function failed: ${text}`, 1)
    return JSON.parse(text) as { apiKey: string }
  } catch (error) {
    if (error instanceof CliError) throw error
    const { name: kind, message } = error as Error
    if (kind === 'ResourceNotFoundException')
      throw new CliError(`there is no function ${name}; is the stage deployed?`, exitCodes.notFound)
    const denied =
      kind === 'AccessDeniedException' || kind === 'CredentialsProviderError' || kind === 'UnrecognizedClientException'
    throw new CliError(
      `${name} could not be invoked: ${message}`,
      denied ? exitCodes.notAuthenticated : exitCodes.unreachable,
    )
  }
}
