import { lookup, Resolver } from 'node:dns/promises'

/** All addresses of a name. Whoever asks has given up once `signal` is aborted. */
export type Resolve = (hostname: string, signal: AbortSignal) => Promise<string[]>

/** Asked again after 2, 4 and 8 s: https://nodejs.org/api/dns.html#new-dnspromisesresolveroptions */
const patience = { timeout: 2000, tries: 3 }

/**
 * Asks DNS over sockets of its own, which many slow names do not fill, and can be broken off. The look-up of the system has
 * the four threads of the process, and takes two of them, which a few such names hold for as long as they like.
 * @default servers those of the system
 */
export const resolveByDns =
  (servers?: string[]): Resolve =>
  async (hostname, signal) => {
    const resolver = new Resolver(patience)
    if (servers) resolver.setServers(servers)
    signal.addEventListener('abort', () => resolver.cancel(), { once: true })
    const answers = await Promise.allSettled([resolver.resolve4(hostname), resolver.resolve6(hostname)])
    const addresses = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []))
    const [first] = answers
    if (addresses.length === 0 && first.status === 'rejected') throw first.reason
    return addresses
  }

/** Asks the system, with its hosts file and search domains. It cannot be broken off, so those who ask meanwhile share an answer. */
export const resolveBySystem = (): Resolve => {
  const asked = new Map<string, Promise<string[]>>()
  const ask = async (hostname: string): Promise<string[]> => {
    try {
      return (await lookup(hostname, { all: true, verbatim: true })).map(({ address }) => address)
    } finally {
      asked.delete(hostname)
    }
  }
  return (hostname) => {
    const answer = asked.get(hostname) ?? ask(hostname)
    asked.set(hostname, answer)
    return answer
  }
}
