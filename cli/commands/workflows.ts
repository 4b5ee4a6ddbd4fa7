import { readFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import type { Definition } from '#shared/contracts/workflows/definition.ts'
import type { WorkflowResponse } from '#shared/contracts/workflows.ts'
import { compile } from '#shared/workflow-language/compile/compile.ts'
import { toMermaid } from '#shared/workflow-language/graph.ts'
import type { Problem } from '#shared/workflow-language/problem.ts'
import { validate } from '#shared/workflow-language/validate/validate.ts'
import type { Client } from '../client/client.ts'
import { toQuery } from '../client/query.ts'
import { CliError, exitCodes } from '../failure.ts'
import { checkReadable } from '../input/files.ts'
import { note, noteMore, print, printJson, printTable } from '../render/print.ts'
import type { Column } from '../render/table.ts'
import { plain } from '../render/terminal.ts'

const readDefinition = async (file: string): Promise<string> => {
  if (file === '-') return text(process.stdin)
  checkReadable(file)
  return readFileSync(file, 'utf8')
}

const nameOf = (file: string): string => (file === '-' ? 'standard input' : file)

/** `FILE:LINE:COLUMN`, as editors and terminals make links of it. */
const line = (file: string, { line, column, pointer, severity, code, message }: Problem): string => {
  const place = line === undefined ? `${nameOf(file)} ${pointer}` : `${nameOf(file)}:${line}:${column}`
  return `${place} ${severity} ${code}: ${message}`
}

const count = (problems: Problem[], severity: Problem['severity']): number =>
  problems.filter((problem) => problem.severity === severity).length

const inWords = (amount: number, what: string): string => `${amount} ${what}${amount === 1 ? '' : 's'}`
const summary = (problems: Problem[]): string =>
  `${inWords(count(problems, 'error'), 'error')}, ${inWords(count(problems, 'warning'), 'warning')}`

type ValidateOptions = { strict?: boolean; json?: boolean }

/** Says what is wrong with a definition. */
export const validateWorkflow = async (file: string, { strict, json }: ValidateOptions): Promise<void> => {
  const { problems } = validate(await readDefinition(file))
  if (json) printJson({ problems })
  else for (const problem of problems) print(line(file, problem))
  const failing = count(problems, 'error') > 0 || (strict && problems.length > 0)
  if (failing) throw new CliError(`${nameOf(file)} cannot run: ${summary(problems)}`, exitCodes.failed)
  if (!json) note(problems.length > 0 ? `${nameOf(file)} is valid: ${summary(problems)}` : `${nameOf(file)} is valid`)
}

/** A definition that can run; what is wrong with any other goes to standard error. */
const requireDefinition = async (file: string): Promise<Definition> => {
  const { definition, problems } = validate(await readDefinition(file))
  if (definition !== undefined) return definition
  for (const problem of problems) note(line(file, problem))
  throw new CliError(`${nameOf(file)} cannot run: ${summary(problems)}`, exitCodes.failed)
}

/** Prints the machine of a run, or the one that undoes it. */
export const compileWorkflow = async (file: string, { undo }: { undo?: boolean }): Promise<void> => {
  const compiled = compile(await requireDefinition(file))
  const machine = undo ? compiled.undo : compiled.run
  if (machine === undefined) throw new CliError(`no step of ${nameOf(file)} has a compensate`, exitCodes.failed)
  printJson(machine)
}

/** Prints a flowchart. */
export const drawWorkflow = async (file: string): Promise<void> =>
  void process.stdout.write(toMermaid(await requireDefinition(file)))

/** Stores a definition. */
export const saveWorkflow = async (client: Client, file: string, { strict, json }: ValidateOptions): Promise<void> => {
  const definition = await readDefinition(file)
  const { problems } = validate(definition)
  if (count(problems, 'error') > 0) await requireDefinition(file)
  const saved = await client.request<WorkflowResponse>('POST', '/workflows', { body: { definition, strict } })
  if (json) return printJson(saved)
  for (const problem of saved.problems ?? []) note(line(file, problem as Problem))
  print(`${saved.name} ${saved.latest}`)
}

const columns: Column[] = [
  { title: 'WORKFLOW' },
  { title: 'VERSION', align: 'right' },
  { title: 'ALIASES', cut: { at: 'end', least: 10 } },
  { title: 'DESCRIPTION', wrap: true },
]

const aliasesOf = ({ aliases }: WorkflowResponse): string =>
  Object.entries(aliases)
    .map(
      ([alias, weights]) =>
        `${alias}: ${Object.entries(weights)
          .map(([version, weight]) => `${version}×${weight}`)
          .join(' ')}`,
    )
    .join(', ')

type ListOptions = { limit: number; cursor?: string; json?: boolean }

/** Workflows as a table. */
export const listWorkflows = async (client: Client, { limit, cursor, json }: ListOptions): Promise<void> => {
  const page = await client.get<{ items: WorkflowResponse[]; nextCursor: string | null }>(
    `/workflows${toQuery({ limit, cursor })}`,
  )
  if (json) return printJson(page)
  const rows = page.items.map((one) => [one.name, String(one.latest), aliasesOf(one), plain(one.description ?? '')])
  printTable(columns, rows, 'no workflows')
  noteMore(page)
}
