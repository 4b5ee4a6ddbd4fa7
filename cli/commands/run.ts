import { existsSync, readFileSync } from 'node:fs'
import type { RunResponse, WorkflowResponse } from '#shared/contracts/workflows.ts'
import type { Client } from '../client/client.ts'
import { ApiError } from '../client/errors.ts'
import { CliError, exitCodes } from '../failure.ts'
import { checkReadable } from '../input/files.ts'
import { extendInput, readInput } from '../input/task-input.ts'
import { interruptible } from '../interrupt.ts'
import { note, print, printJson } from '../render/print.ts'
import { prepareRepository } from '../repository/repository-input.ts'
import { followRun } from './follow-run.ts'

export type RunOptions = {
  input?: string
  repository?: string
  base?: string
  at?: string
  idempotencyKey?: string
  /** @default true where standard output and error are a terminal */
  follow?: boolean
  json?: boolean
}

/** Starts a run of a workflow by its name, or of a definition in a file, which is stored first. */
export const runWorkflow = async (client: Client, nameOrFile: string, options: RunOptions): Promise<void> => {
  const { idempotencyKey, at: version, follow, json } = options
  const given = await readInput(options.input)
  const headers = idempotencyKey === undefined ? undefined : { 'idempotency-key': idempotencyKey }
  let id: string | undefined
  const work = async (signal: AbortSignal): Promise<void> => {
    const name = await nameOf(client, nameOrFile)
    const input = await withRepository(client, given, options, signal)
    const path = `/workflows/${encodeURIComponent(name)}/runs`
    const run = await client.create<RunResponse>(path, { input, version }, { headers, signal })
    id = run.id
    if (follow) await followRun(client, run.id, { json }, signal)
    else if (json) printJson(run)
    else print(run.id)
  }
  await interruptible(work, () =>
    id === undefined ? 'nothing was started' : `${id} goes on; devcycle runs follow ${id} shows it again`,
  )
}

/** A name may end like a file does, but has no slash. */
const isFileLike = (nameOrFile: string): boolean => /\.(ya?ml|json)$/.test(nameOrFile)
const isPath = (nameOrFile: string): boolean => nameOrFile.includes('/')

const nameOf = async (client: Client, nameOrFile: string): Promise<string> => {
  if (isPath(nameOrFile) || (isFileLike(nameOrFile) && existsSync(nameOrFile))) return storeFile(client, nameOrFile)
  if (isFileLike(nameOrFile)) await checkKnown(client, nameOrFile)
  return nameOrFile
}

/** Refuses the name of no workflow that is meant for a file as well, before anything is sent for its run. */
const checkKnown = async (client: Client, name: string): Promise<void> => {
  try {
    await client.get(`/workflows/${encodeURIComponent(name)}`)
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 404)) throw error
    throw new CliError(`there is neither a file ${name} here nor a workflow of that name`, exitCodes.notFound)
  }
}

const storeFile = async (client: Client, nameOrFile: string): Promise<string> => {
  checkReadable(nameOrFile)
  const definition = readFileSync(nameOrFile, 'utf8')
  const {
    name,
    latest,
    problems = [],
  } = await client.request<WorkflowResponse>('POST', '/workflows', { body: { definition } })
  for (const { message, line, column } of problems) note(`${nameOrFile}:${line}:${column} ${message}`)
  note(`${name}, version ${latest}`)
  return name
}

const withRepository = async (
  client: Client,
  input: unknown,
  { repository, base, idempotencyKey }: RunOptions,
  signal: AbortSignal,
): Promise<unknown> => {
  if (repository === undefined) return input
  extendInput(input, {}, '--repository')
  const prepared = await prepareRepository(client, repository, {
    base,
    names: true,
    idempotencyKey,
    signal,
    onStep: note,
  })
  const fields = { repository: prepared.repository, ...(prepared.base && { base: prepared.base }) }
  return extendInput(input, fields, '--repository')
}
