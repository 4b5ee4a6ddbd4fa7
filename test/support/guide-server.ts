import { execFile } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { blockOf } from './markdown.ts'
import { aDataFolder } from './server-process.ts'

const cli = fileURLToPath(new URL('../../cli/devcycle.ts', import.meta.url))

/** `npx devcycle …` and `npx node …` of a guide, as this repository's own. */
const npx = `npx() { local what=$1; shift; case $what in
  node) "${process.execPath}" "$@" ;;
  *) "${process.execPath}" "${cli}" "$@" ;;
esac; }`

/** A server with the agents of guides, each from the block of a page that is named after it, and what runs their commands. */
export const aGuideServer = async (agents: { guide: string; name: string }[], more: string[] = []) => {
  const folder = aDataFolder()
  const home = join(dirname(folder.dataDir), 'home')
  const args = agents.flatMap(({ guide, name }) => {
    const path = join(home, name)
    mkdirSync(path, { recursive: true })
    writeFileSync(join(path, 'agent.ts'), blockOf(`guides/${guide}.md`, `${name}.ts`))
    return ['--agent', path]
  })
  const server = await folder.start([...args, ...more])
  const keys = { DEVCYCLE_DATA: folder.dataDir, DEVCYCLE_URL: server.url, DEVCYCLE_API_KEY: server.apiKey }
  return {
    server,
    /** Where the commands run. */
    home,
    /** The lines that the commands of a block print. */
    async run(guide: string, name: string, variables: Record<string, string> = {}): Promise<string[]> {
      const script = `set -euo pipefail\n${npx}\n${blockOf(`guides/${guide}.md`, name)}`
      const options = { cwd: home, env: { ...process.env, ...keys, ...variables }, timeout: 100_000 }
      return (await promisify(execFile)('bash', ['-c', script], options)).stdout.split('\n')
    },
    close: () => folder.close(),
  }
}
