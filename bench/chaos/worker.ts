/** One process of twenty: an instance with fifty slots over the bare worker protocol, that survives restarts of the server. */
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { startProtocolWorker } from '#test/support/protocol-worker.ts'

const [dataDir = '', slots = '1'] = process.argv.slice(2)
const read = <T>(file: string): T => JSON.parse(readFileSync(`${dataDir}/${file}`, 'utf8')) as T

/** Where the server is, also after it came up again; nowhere while it is down. */
const url = (): string => {
  try {
    return read<{ url: string }>('server.json').url
  } catch {
    return 'http://127.0.0.1:1'
  }
}

await startProtocolWorker({
  url,
  apiKey: read<{ apiKey: string }>('credentials.json').apiKey,
  agent: 'chaos',
  slots: Number(slots),
  work: async () => {
    await sleep(5000 + Math.random() * 15_000)
    return { ok: true }
  },
})
