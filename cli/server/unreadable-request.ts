import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { HttpError, toProblem } from '#functions/api/errors.ts'

const refusals: Record<string, HttpError> = {
  HPE_HEADER_OVERFLOW: new HttpError(
    'HEADERS_TOO_LARGE',
    'the address and the headers of a request have 16 KiB at most',
  ),
  ERR_HTTP_REQUEST_TIMEOUT: new HttpError('REQUEST_TIMEOUT', 'the request was not there whole in time'),
}
const noHttp = new HttpError('MALFORMED_REQUEST', 'this is no request of HTTP/1.1')

/** The refusal of a request whose address or host makes no sense. */
export const unreadable = (reason: string): HttpError =>
  new HttpError('MALFORMED_REQUEST', `${noHttp.message}: ${reason.toLowerCase()}`)

/**
 * Answers what cannot be read as a request with a problem, and ends its connection: there is no more than the socket yet.
 * https://nodejs.org/docs/latest-v24.x/api/http.html#event-clienterror
 */
export const refuseUnreadable = async (error: NodeJS.ErrnoException, socket: Duplex, id: string): Promise<void> => {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
  const { response, status } = toProblem(refusals[error.code ?? ''] ?? noHttp, id)
  const body = await response.text()
  const headers = { ...Object.fromEntries(response.headers), 'content-length': body.length, connection: 'close' }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
  socket.end([`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...lines, '', body].join('\r\n'))
}
