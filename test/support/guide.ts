import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { blockOf } from './markdown.ts'
import { aDataFolder, type ServerProcess } from './server-process.ts'

const cli = fileURLToPath(new URL('../../cli/devcycle.ts', import.meta.url))

/** A server with the agents that guides show, and what the guides' own blocks print against it. */
export const aGuidedServer = () => {
  const home = mkdtempSync(join(tmpdir(), 'devcycle-guides-'))
  const folder = aDataFolder()
  let server: ServerProcess

  const agentOf = (guide: string): string[] => {
    const path = join(home, guide)
    mkdirSync(path)
    writeFileSync(join(path, 'agent.ts'), blockOf(`guides/${guide}.md`, 'agent.ts'))
    return ['--agent', path]
  }
  return {
    home,
    /** Starts it with the agents of these guides, and with what else is to be said. */
    async start(guides: string[], args: string[] = []): Promise<ServerProcess> {
      server = await folder.start([...guides.flatMap(agentOf), ...args])
      return server
    },
    /** What a block of a guide prints. */
    async run(guide: string, name: string): Promise<string> {
      const npx = `npx() { shift; "${process.execPath}" "${cli}" "$@"; }`
      const script = `set -euo pipefail\n${npx}\n${blockOf(`guides/${guide}.md`, name)}`
      const env = { ...process.env, DEVCYCLE_URL: server.url, DEVCYCLE_API_KEY: server.apiKey }
      return (await promisify(execFile)('bash', ['-c', script], { cwd: home, env, timeout: 60_000 })).stdout
    },
    async close(): Promise<void> {
      await folder.close()
      rmSync(home, { recursive: true, force: true })
    },
  }
}
