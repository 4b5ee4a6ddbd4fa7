import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation'
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda'
import { CliError, exitCodes } from '../failure.ts'
import { note, print, printJson } from '../render/print.ts'

export type BootstrapOptions = { stage: string; region?: string; json?: boolean }

/** Asks a deployment's bootstrap function, which only IAM callers may invoke, for an administrator's key. */
export const bootstrap = async ({ stage, region, json }: BootstrapOptions): Promise<void> => {
  const settings = region === undefined ? {} : { region }
  const { url, functionName } = await explained(stage, () => readStack(settings, `DevCycle-${stage}-Api`))
  const { apiKey } = await explained(stage, () => invoke(settings, functionName))
  if (json) return printJson({ url, apiKey })
  note(`the admin key of ${url}, shown only now; use it with --url and --api-key, or DEVCYCLE_URL and DEVCYCLE_API_KEY`)
  print(apiKey)
}

type Settings = { region?: string }

const readStack = async (settings: Settings, stack: string): Promise<{ url: string; functionName: string }> => {
  const { Stacks } = await new CloudFormationClient(settings).send(new DescribeStacksCommand({ StackName: stack }))
  const output = (name: string): string => {
    const value = Stacks?.[0]?.Outputs?.find(({ OutputKey }) => OutputKey === name)?.OutputValue
    if (value === undefined) throw new CliError(`stack ${stack} has no output ${name}; deploy it`, exitCodes.notFound)
    return value
  }
  return { url: output('ApiUrl'), functionName: output('BootstrapFunction') }
}

const invoke = async (settings: Settings, name: string): Promise<{ apiKey: string }> => {
  const command = new InvokeCommand({ FunctionName: name, Payload: '{}' })
  const { Payload, FunctionError } = await new LambdaClient(settings).send(command)
  const text = Buffer.from(Payload ?? []).toString('utf8')
  if (FunctionError !== undefined) throw new CliError(`function ${name} failed: ${text}`, exitCodes.failed)
  const { apiKey } = JSON.parse(text) as { apiKey?: unknown }
  if (typeof apiKey !== 'string') throw new CliError(`function ${name} answered no key`, exitCodes.failed)
  return { apiKey }
}

const rows: [pattern: RegExp, code: number, advice: (stage: string) => string][] = [
  [/Region is missing/, exitCodes.usage, () => 'no AWS region is set; name one with --region or AWS_REGION'],
  [
    /does not exist|ResourceNotFound/,
    exitCodes.notFound,
    (stage) => `stage ${stage} is not deployed in this account and region`,
  ],
  [
    /AccessDenied|CredentialsProvider|UnrecognizedClient|ExpiredToken|InvalidClientTokenId|Could not load credentials/,
    exitCodes.notAuthenticated,
    () => 'AWS does not accept your credentials for this',
  ],
  [/ECONNREFUSED|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|TimeoutError/, exitCodes.unreachable, () => 'AWS cannot be reached'],
]

const explained = async <T>(stage: string, work: () => Promise<T>): Promise<T> => {
  try {
    return await work()
  } catch (error) {
    if (error instanceof CliError) throw error
    const { name, message, code } = error as NodeJS.ErrnoException
    const [, exitCode, advice] = rows.find(([pattern]) => pattern.test(`${name} ${code} ${message}`)) ?? []
    throw new CliError(advice ? `${advice(stage)} (${message})` : message, exitCode ?? exitCodes.failed, {
      cause: error,
    })
  }
}
