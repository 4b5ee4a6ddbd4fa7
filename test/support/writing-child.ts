/** Writes pairs of items into a data folder as fast as it can and prints the number of each acknowledged pair. */
import { createEmbeddedPlatform } from '#shared/platform/embedded/create-embedded-platform.ts'
import { noHosts } from './no-hosts.ts'
import { aPair } from './pairs.ts'

const [dataDir = '', pairs = '0', inFlight = '1'] = process.argv.slice(2)
const { main } = await createEmbeddedPlatform({ dataDir, baseUrl: () => '', hosts: noHosts, log: () => undefined })
process.stdout.write('open\n')

let next = 0
const write = async (): Promise<void> => {
  while (next < Number(pairs)) {
    const number = next++
    const { ok } = await main.transact(aPair(number).map((item) => ({ op: 'put', item, expect: 'absent' })))
    if (!ok) throw new Error(`pair ${number} was there already`)
    process.stdout.write(`${number}\n`)
  }
}
await Promise.all(Array.from({ length: Number(inFlight) }, write))
setInterval(() => undefined, 60_000)
