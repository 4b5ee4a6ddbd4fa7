import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'

/** Runs a handler once, outside of any task. */
export type Invocation = (request: {
  capability: string | null
  input: unknown
}) => Promise<{ status: number; body: unknown }>

type Options = { port: number; busy: () => number; invoke: Invocation }

const maxBytes = 10 * 1024 * 1024

const readBody = async (request: IncomingMessage): Promise<string> => {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of request) {
    size += (part as Buffer).length
    if (size > maxBytes) throw new Error(`a body may have ${maxBytes} bytes`)
    parts.push(part as Buffer)
  }
  return Buffer.concat(parts).toString('utf8')
}

const answer = (response: ServerResponse, status: number, body: unknown): void => {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify(body))
}

/** `{capability?, input}`, or the input alone. */
const parseInvocation = (text: string): { capability: string | null; input: unknown } => {
  const body: unknown = JSON.parse(text === '' ? 'null' : text)
  const named = body !== null && typeof body === 'object' && 'input' in body
  if (!named) return { capability: null, input: body }
  return {
    capability: 'capability' in body && typeof body.capability === 'string' ? body.capability : null,
    input: body.input,
  }
}

/**
 * The contract that AgentCore Runtime has with a container: `GET /ping` and `POST /invocations` on port 8080.
 * https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/runtime-http-protocol-contract.html
 */
export const startHttpServer = ({ port, busy, invoke }: Options): Promise<Server> => {
  const since = Math.floor(Date.now() / 1000)
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method, url = '/' } = request
    if (method === 'GET' && url === '/ping')
      return answer(response, 200, { status: busy() > 0 ? 'HealthyBusy' : 'Healthy', time_of_last_update: since })
    if (method !== 'POST' || url !== '/invocations')
      return answer(response, 404, {
        error: `there is nothing at ${method} ${url}; GET /ping and POST /invocations are here`,
      })
    try {
      const { status, body } = await invoke(parseInvocation(await readBody(request)))
      answer(response, status, body)
    } catch (error) {
      answer(response, 400, { error: `the body is not JSON: ${error instanceof Error ? error.message : 'unreadable'}` })
    }
  }
  const server = createServer((request, response) => void handle(request, response))
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, () => resolve(server))
  })
}
