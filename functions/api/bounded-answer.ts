import { HttpError, toProblem } from './errors.ts'

/** What Lambda hands back of an answer, as JSON. https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const mostBytes = 6 * 1024 * 1024
/** JSON within JSON may be twice as long, a character in UTF-8 four bytes: below it nothing has to be counted. */
const surelyFits = mostBytes / 8

type Headers = Record<string, string>
type Answer = {
  statusCode: number
  body: string
  headers?: Record<string, unknown>
  multiValueHeaders?: Record<string, unknown[]>
}

const requestIdOf = ({ headers, multiValueHeaders }: Answer): string =>
  String(headers?.['x-request-id'] ?? multiValueHeaders?.['x-request-id']?.[0] ?? 'unknown')

/** The answer, or why it cannot be given where it is too long for Lambda, which would tell nobody what to ask instead. */
export const boundedAnswer = async <A extends Answer>(
  answer: A,
): Promise<A | { statusCode: number; headers: Headers; body: string }> => {
  if (answer.body.length < surelyFits) return answer
  const bytes = Buffer.byteLength(JSON.stringify(answer))
  if (bytes <= mostBytes) return answer
  const detail = `the answer has ${bytes} bytes; ${mostBytes} are possible. Ask for less at a time, by limit or max where there is one`
  const { response } = toProblem(new HttpError('PAYLOAD_TOO_LARGE', detail), requestIdOf(answer))
  return {
    statusCode: response.status,
    headers: Object.fromEntries(response.headers),
    body: await response.text(),
  }
}
