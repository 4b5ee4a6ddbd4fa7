import type { CheckInput } from '#shared/domain/tasks/submit-task.ts'

/** Loaded with the first schema: a server whose agents have none does not carry it. */
const load = () => import('./json-schema.ts')

/** Why a JSON Schema cannot be used; `undefined` when it can. Schemas elsewhere (`$ref` to a URL) cannot. */
export const schemaProblem = async (schema: Record<string, unknown>): Promise<string | undefined> =>
  (await load()).schemaProblem(schema)

/** What in an input does not fit a JSON Schema 2020-12. */
export const checkInput: CheckInput = async (schema, input) => (await load()).checkInput(schema, input)
