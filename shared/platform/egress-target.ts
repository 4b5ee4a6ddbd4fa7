import ipaddr from 'ipaddr.js'

/** Names of `host[:port]`, addresses or networks that may be called although they are not public. */
export type EgressAllowance = readonly string[]

const hostAndPort = /^[a-z0-9]([a-z0-9._-]*[a-z0-9])?(:\d{1,5})?$/i

/** Whether a text can allow anything: a name or an address of IPv4, each perhaps with a port, one of IPv6, or a network. */
export const isAllowance = (text: string): boolean => {
  if (text.includes('/')) return ipaddr.isValidCIDR(text)
  if (text.split(':').length > 2) return ipaddr.IPv6.isValid(text)
  return hostAndPort.test(text) && Number(text.split(':')[1] ?? 1) <= 65_535
}

export const allowanceText = 'expected host[:port], an address or a network such as 10.0.0.0/8'

/** Special networks inside of IPv6's global unicast space. https://www.iana.org/assignments/iana-ipv6-special-registry */
const specialV6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20', '5f00::/16'].map((one) =>
  ipaddr.parseCIDR(one),
)
const globalV6 = ipaddr.parseCIDR('2000::/3')

/** Whether an address is one of the public Internet: anything that embeds or stands for another one is not. */
export const isPublicAddress = (address: string): boolean => {
  if (!ipaddr.isValid(address)) return false
  const parsed = ipaddr.parse(address)
  if (parsed.kind() === 'ipv4') return parsed.range() === 'unicast'
  const v6 = parsed as ipaddr.IPv6
  return v6.match(globalV6) && specialV6.every((network) => !v6.match(network))
}

const isWithin = (address: string, entry: string): boolean => {
  try {
    const [network, bits] = entry.includes('/') ? ipaddr.parseCIDR(entry) : [ipaddr.parse(entry), undefined]
    const parsed = ipaddr.parse(address)
    if (parsed.kind() !== network.kind()) return false
    return bits === undefined ? parsed.toString() === network.toString() : parsed.match([network, bits] as never)
  } catch {
    return false
  }
}

/** Whether the host's own settings let this target be called. */
const isAllowed = (allow: EgressAllowance, { hostname, port }: Target, address: string): boolean =>
  allow.some((entry) => {
    const [host = '', wantedPort] = entry.includes('/') || entry.split(':').length > 2 ? [entry] : entry.split(':')
    if (wantedPort !== undefined && wantedPort !== port) return false
    return host.toLowerCase() === hostname || isWithin(address, host)
  })

export const isAllowedByName = (allow: EgressAllowance, target: Target): boolean => isAllowed(allow, target, '')

/** `hostname` in lower case, without brackets; `port` as text. */
export type Target = { url: URL; hostname: string; port: string }

/** Names that never lead to the public Internet. */
const localNames = /(^|\.)(localhost|local|internal|intranet|lan|home\.arpa|test|invalid|onion)$/

/** The target of an address, or why it can be none. What is allowed by name is not looked at more closely. */
export const parseTarget = (text: string, allow: EgressAllowance): Target | { problem: string } => {
  if (!URL.canParse(text)) return { problem: 'it is not an absolute address such as https://example.com/hook' }
  const url = new URL(text)
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return { problem: `${url.protocol} is not http or https` }
  if (url.username !== '' || url.password !== '') return { problem: 'it has a user name or password in it' }
  const hostname = url.hostname
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')
    .toLowerCase()
  const port = url.port || (url.protocol === 'https:' ? '443' : '80')
  const target = { url, hostname, port }
  if (hostname === '') return { problem: 'it names no host' }
  if (ipaddr.isValid(hostname)) return isReachable(allow, target, hostname) ? target : { problem: notPublic(hostname) }
  if (localNames.test(hostname) && !isAllowedByName(allow, target)) return { problem: notPublic(hostname) }
  if (!hostname.includes('.') && !isAllowedByName(allow, target)) return { problem: notPublic(hostname) }
  return target
}

export const isReachable = (allow: EgressAllowance, target: Target, address: string): boolean =>
  isPublicAddress(address) || isAllowed(allow, target, address)

export const notPublic = (what: string): string => `${what} is not a public address`
