import type { RunRef, WorkflowDefinition } from './platform.ts'
import { PlatformError } from './platform-error.ts'

/** https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html */
const maxDefinitionBytes = 1024 * 1024
const maxOutputBytes = 256 * 1024
const maxErrorLength = 256
const maxCauseLength = 32_768

/** Stands in definitions for the queue of their commands. */
const stepsQueue = '$'.concat('{StepsQueueUrl}')

const patterns = {
  tenant: /^[A-Za-z0-9._-]{1,100}$/,
  workflow: /^[A-Za-z0-9._-]{1,100}$/,
  version: /^[A-Za-z0-9._-]{1,70}$/,
  run: /^[A-Za-z0-9._-]{1,80}$/,
} as const

const refuse = (code: 'INVALID' | 'TOO_LARGE', message: string): never => {
  throw new PlatformError(code, message)
}

/** Refuses names that some host could not take. */
export const checkNames = (names: Partial<Record<keyof typeof patterns, string>>): void => {
  for (const [part, pattern] of Object.entries(patterns)) {
    const name = names[part as keyof typeof patterns]
    if (name !== undefined && !pattern.test(name))
      refuse('INVALID', `${part} is ${pattern.source.slice(1, -1)}; received ${JSON.stringify(name)}`)
  }
}

/** The JSON of a value, unless some host could not take it. */
export const boundedJson = (value: unknown, what: string, most: number = maxOutputBytes): string => {
  const json = JSON.stringify(value ?? null)
  const bytes = Buffer.byteLength(json)
  return bytes > most ? refuse('TOO_LARGE', `${what} has ${bytes} bytes; ${most} are possible`) : json
}

export const checkRun = ({ tenant, workflow, run }: RunRef): void => checkNames({ tenant, workflow, run })

/** The run and what it begins with, as every host takes them. */
export const checkStart = ({ version, input, ...run }: RunRef & { version: string; input: unknown }): void => {
  checkRun(run)
  checkNames({ version })
  boundedJson(input, 'the input')
}

/** The definition's text with the queue of its commands put in. */
export const definitionText = ({ asl, ...names }: WorkflowDefinition, stepsQueueUrl: string): string => {
  checkNames(names)
  return boundedJson(asl, 'the definition', maxDefinitionBytes).replaceAll(stepsQueue, stepsQueueUrl)
}

/** The error and cause, cut to what Step Functions takes. */
export const boundedFailure = ({ error, cause }: { error?: string; cause?: string }) => ({
  ...(error !== undefined && { error: error.slice(0, maxErrorLength) }),
  ...(cause !== undefined && { cause: cause.slice(0, maxCauseLength) }),
})
