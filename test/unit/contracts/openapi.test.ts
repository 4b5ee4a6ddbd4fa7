import { describe, expect, it } from 'vitest'
import { describeError } from '#functions/api/errors.ts'
import { examples } from '#shared/contracts/examples/examples.ts'
import { openApiDocument } from '#shared/contracts/openapi.ts'
import { type Operation, type OperationId, operations } from '#shared/contracts/operations.ts'
import { refusalStatus, refusalsOf } from '#shared/contracts/refusals.ts'
import { DomainError, domainErrorCodes } from '#shared/domain/domain-error.ts'

const rows = Object.entries(operations) as [OperationId, Operation][]

describe('the examples of the contract', () => {
  it.each(rows)('%s: the body and the answer are what the operation takes and gives', (id, { body, answers }) => {
    const { body: given, answer } = examples[id]
    expect(given !== undefined, 'there is a body where one is taken').toBe(body !== undefined)
    if (body) expect(body.safeParse(given).error?.issues).toBeUndefined()
    const schemas = Object.values(answers).flatMap(({ schema }) => schema ?? [])
    for (const schema of schemas) expect(schema.safeParse(answer).error?.issues).toBeUndefined()
    const isThere = schemas.length > 0 || Object.values(answers).some(({ also }) => also === 'any')
    expect(answer !== undefined, 'there is an answer where one is given').toBe(isThere)
  })
})

describe('the OpenAPI document', () => {
  const { paths } = openApiDocument('1.0.0')

  it.each(rows)('%s: has its example and every refusal', (id, operation) => {
    const method = operation.method.toLowerCase() as 'get'
    const { requestBody, responses } = (paths?.[`/api/v2${operation.path}`]?.[method] ?? {}) as unknown as Described
    const { body, answer } = examples[id]
    if (body) expect(exampleIn(requestBody)).toEqual(body)
    if (answer)
      for (const status of Object.keys(operation.answers)) expect(exampleIn(responses[status])).toEqual(answer)
    for (const code of refusalsOf(operation))
      expect(responses[refusalStatus[code]]?.description, code).toContain(`\`${code}\``)
  })
})

type Part = { description?: string; content?: { 'application/json': { example?: unknown } } }
type Described = { requestBody?: Part; responses: Record<string, Part> }

/** In its place, or in the description where it has references in it. */
const exampleIn = ({ description = '', content }: Part = {}): unknown => {
  const [, json] = /```json\n(.*)\n```/s.exec(description) ?? []
  return json === undefined ? content?.['application/json'].example : JSON.parse(json)
}

it('the status of a refusal of the domain is the one that is documented', () => {
  for (const code of domainErrorCodes)
    expect(describeError(new DomainError(code, 'no')).status, code).toBe(refusalStatus[code])
})
