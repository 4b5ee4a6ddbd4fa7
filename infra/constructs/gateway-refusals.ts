import { type GatewayResponseOptions, type IRestApi, ResponseType, type RestApi } from 'aws-cdk-lib/aws-apigateway'

type Row = { type: ResponseType; status: number; code: string; title: string; detail: string; retryAfter?: number }

/** What API Gateway refuses by itself, said as the app behind it says such things. */
const rows: Row[] = [
  {
    type: ResponseType.THROTTLED,
    status: 429,
    code: 'THROTTLED',
    title: 'Too many requests',
    detail: 'more requests a second than this stage takes; try again',
    retryAfter: 1,
  },
  {
    type: ResponseType.REQUEST_TOO_LARGE,
    status: 413,
    code: 'PAYLOAD_TOO_LARGE',
    title: 'Too large',
    detail: 'a request has at most 10 MB; upload objects and refer to them',
  },
  {
    type: ResponseType.INTEGRATION_TIMEOUT,
    status: 504,
    code: 'UNAVAILABLE',
    title: 'Unavailable',
    detail: 'the answer took longer than 29 s; try again',
    retryAfter: 1,
  },
  {
    type: ResponseType.DEFAULT_4XX,
    status: 400,
    code: 'MALFORMED_REQUEST',
    title: 'Bad request',
    detail: 'this is no request that the API understands',
  },
  {
    type: ResponseType.DEFAULT_5XX,
    status: 500,
    code: 'INTERNAL',
    title: 'Internal error',
    detail: 'internal error; the access log has it under this request id',
    retryAfter: 1,
  },
]

const toResponse = ({ type, retryAfter, ...problem }: Row): GatewayResponseOptions => ({
  type,
  statusCode: String(problem.status),
  responseHeaders: {
    'Content-Type': "'application/problem+json'",
    ...(retryAfter !== undefined && { 'Retry-After': `'${retryAfter}'` }),
  },
  templates: {
    'application/json': JSON.stringify({
      type: `urn:devcycle:problem:${problem.code.toLowerCase().replaceAll('_', '-')}`,
      ...problem,
      requestId: '$context.requestId',
    }),
  },
})

/** Makes API Gateway's own refusals problem details. */
export const explainRefusals = (api: RestApi & IRestApi): void => {
  for (const row of rows) api.addGatewayResponse(row.code, toResponse(row))
}
