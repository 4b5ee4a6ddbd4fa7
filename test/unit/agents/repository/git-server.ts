import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createGunzip } from 'node:zlib'
import { generate } from 'selfsigned'

export type GitServer = { url: string; certificateFile: string; close(): Promise<void> }

const service = 'git-upload-pack'

/** Serves one repository over https at `/repository.git`; `/401`, `/503` and `/http` answer as they are called. */
export const serveGit = async (folder: string): Promise<GitServer> => {
  const altNames = [{ type: 7 as const, ip: '127.0.0.1' }]
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }], {
    extensions: [{ name: 'subjectAltName', altNames }],
  })
  const home = mkdtempSync(path.join(tmpdir(), 'git-server-'))
  const certificateFile = path.join(home, 'certificate.pem')
  writeFileSync(certificateFile, cert)
  const server = createServer({ cert, key }, (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'https://localhost')
    const [, status] = /^\/(401|503)\//.exec(pathname) ?? []
    if (status) return response.writeHead(Number(status), { 'www-authenticate': 'Basic realm="x"' }).end()
    if (pathname.startsWith('/http/')) return response.writeHead(302, { location: 'http://127.0.0.1:9/x' }).end()
    const asks = searchParams.get('service') === service
    response.writeHead(200, { 'content-type': `application/x-${service}-${asks ? 'advertisement' : 'result'}` })
    if (asks) response.write('001e# service=git-upload-pack\n0000')
    const protocol = String(request.headers['git-protocol'] ?? '')
    const args = ['upload-pack', '--stateless-rpc', ...(asks ? ['--advertise-refs'] : []), folder]
    const git = spawn('git', args, { env: { PATH: process.env.PATH, GIT_PROTOCOL: protocol } })
    const body = request.headers['content-encoding'] === 'gzip' ? request.pipe(createGunzip()) : request
    body.pipe(git.stdin)
    return git.stdout.pipe(response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return { url: `https://127.0.0.1:${port}`, certificateFile, close: () => close(server, home) }
}

const close = (server: Server, home: string) =>
  new Promise<void>((resolve) => {
    rmSync(home, { recursive: true })
    server.close(() => resolve())
    server.closeAllConnections()
  })
