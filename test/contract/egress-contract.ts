import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Egress } from '#shared/platform/platform.ts'
import { type Resolve, resolveByDns } from '#shared/platform/resolve-name.ts'
import { startDns } from '#test/support/dns-server.ts'
import { startReceiver } from '#test/support/webhook-receiver.ts'

type Make = (options: { allow?: string[]; resolve?: Resolve; resolveAllowed?: Resolve }) => Egress

/** Addresses that must never be connected to, however they are written. `P` is the canary's port. */
const hostile = [
  'http://127.0.0.1:P/',
  'http://127.1:P/',
  'http://127.0.0.2:P/',
  'http://2130706433:P/',
  'http://0x7f000001:P/',
  'http://0x7f.1:P/',
  'http://0177.0.0.1:P/',
  'http://0:P/',
  'http://0.0.0.0:P/',
  'http://localhost:P/',
  'http://LOCALHOST:P/',
  'http://localhost.:P/',
  'http://a.localhost:P/',
  'http://[::1]:P/',
  'http://[0:0:0:0:0:0:0:1]:P/',
  'http://[::]:P/',
  'http://[::ffff:127.0.0.1]:P/',
  'http://[::ffff:7f00:1]:P/',
  'http://[::127.0.0.1]:P/',
  'http://[64:ff9b::7f00:1]:P/',
  'http://[64:ff9b:1::7f00:1]:P/',
  'http://[2002:7f00:1::]:P/',
  'http://[2002:a9fe:a9fe::]:P/',
  'http://[2001:0:7f00:1::]:P/',
  'http://[2001:db8::1]:P/',
  'http://[fe80::1]:P/',
  'http://[fc00::1]:P/',
  'http://[fd00:ec2::254]/latest/meta-data',
  'http://[ff02::1]:P/',
  'http://[100::1]:P/',
  'http://169.254.169.254/latest/meta-data',
  'http://169.254.170.2/v2/credentials',
  'http://[::ffff:169.254.169.254]/',
  'http://0xa9fea9fe/',
  'http://2852039166/',
  'http://10.0.0.1:P/',
  'http://10.255.255.255:P/',
  'http://172.16.0.1:P/',
  'http://172.31.255.255:P/',
  'http://192.168.0.1:P/',
  'http://100.64.0.1:P/',
  'http://100.127.255.254:P/',
  'http://192.0.0.1:P/',
  'http://192.0.2.1:P/',
  'http://198.18.0.1:P/',
  'http://198.51.100.1:P/',
  'http://203.0.113.1:P/',
  'http://224.0.0.1:P/',
  'http://240.0.0.1:P/',
  'http://255.255.255.255:P/',
  'http://user@127.0.0.1:P/',
  'http://user:password@example.com/',
  'http://example.com@127.0.0.1:P/',
  'http://127.0.0.1:P#example.com',
  'http://127.0.0.1:P\\@example.com/',
  'http://127。0。0。1:P/',
  'http://①②⑦.⓪.⓪.①:P/',
  'http://intranet:P/',
  'http://printer.local:P/',
  'http://metadata.google.internal/',
  'https://127.0.0.1:P/',
  'ftp://example.com/',
  'file:///etc/passwd',
  'gopher://127.0.0.1:P/_x',
  'data:text/plain,x',
  'javascript:alert(1)',
  '//127.0.0.1:P/',
  'not an address',
  '',
]

const request = (url: string) => ({ url, headers: { 'x-test': '1' }, body: '{"a":1}', timeoutMs: 2000 })

export const egressContract = (name: string, make: Make): void => {
  describe(name, () => {
    let canary: Awaited<ReturnType<typeof startReceiver>>
    let allow: string[]
    beforeAll(async () => {
      const replies: Record<string, () => ReturnType<Parameters<typeof startReceiver>[0]>> = {
        '/redirect': () => ({ status: 302, headers: { location: `http://127.0.0.1:${canary.port}/inside` } }),
        '/silent': () => new Promise<never>(() => undefined),
        '/endless': () => ({ status: 200, endless: true }),
        '/huge': () => ({ status: 200, body: 'x'.repeat(1_000_000) }),
      }
      canary = await startReceiver(({ path }) => replies[path]?.() ?? { status: 200 })
      allow = [`127.0.0.1:${canary.port}`]
    })
    afterAll(() => canary.stop())

    it('never connects to what is not public, however it is written', async () => {
      const egress = make({})
      for (const address of hostile) {
        const url = address.replaceAll(':P', `:${canary.port}`)
        expect(await egress.problem(url), url).toMatch(/cannot be called/)
        await expect(egress.post(request(url)), url).rejects.toMatchObject({ code: 'INVALID' })
      }
      expect(canary.connections()).toBe(0)
    })

    it('refuses a name as soon as one of its addresses is not public', async () => {
      const egress = make({ resolve: async () => ['93.184.215.14', '10.0.0.7'] })
      expect(await egress.problem('https://example.com/')).toContain('10.0.0.7')
      await expect(egress.post(request('https://example.com/'))).rejects.toMatchObject({ code: 'INVALID' })
    })

    it('connects to the address that it checked, whatever the name says a moment later', async () => {
      let asked = 0
      const resolve: Resolve = async () => (asked++ === 0 ? ['127.0.0.1'] : ['10.9.9.9'])
      const egress = make({ allow, resolve })
      const before = canary.connections()
      expect((await egress.post(request(`http://rebinding.example.com:${canary.port}/`))).status).toBe(200)
      expect(canary.connections()).toBe(before + 1)
      expect(asked).toBe(1)
      expect(canary.received.at(-1)?.headers.host).toBe(`rebinding.example.com:${canary.port}`)
    })

    it('looks names up while a hundred others are slow, and checks where they lead', async () => {
      const dns = await startDns({ 'quick.example.com': '127.0.0.1', 'inside.example.com': '10.0.0.7' })
      const egress = make({ allow, resolve: resolveByDns([dns.server]) })
      const slow = Array.from({ length: 100 }, (_, n) =>
        egress.post({ ...request(`https://slow-${n}.example.com/`), timeoutMs: 300 }),
      )
      const given = Promise.allSettled(slow)
      const begun = performance.now()
      expect((await egress.post(request(`http://quick.example.com:${canary.port}/`))).status).toBe(200)
      expect(performance.now() - begun).toBeLessThan(1500)
      expect(await egress.problem('https://inside.example.com/')).toContain('10.0.0.7')
      expect(dns.asked()).toBeGreaterThan(200)
      await given
      const asked = dns.asked()
      await new Promise((resolve) => setTimeout(resolve, 2500))
      expect(dns.asked()).toBe(asked) // those that were given up are not asked again
      dns.stop()
    })

    it('looks a name up as the system does where it is allowed by name', async () => {
      const resolveAllowed = async () => ['127.0.0.1']
      const refuse = () => Promise.reject(new Error('not in DNS'))
      const egress = make({ allow: [`hosts-file:${canary.port}`], resolve: refuse, resolveAllowed })
      expect((await egress.post(request(`http://hosts-file:${canary.port}/`))).status).toBe(200)
    })

    it('tries the addresses of a name in turn', async () => {
      const egress = make({ allow: ['127.0.0.0/8', '::1'], resolve: async () => ['::1', '127.0.0.1'] })
      expect((await egress.post(request(`http://both.example.com:${canary.port}/`))).status).toBe(200)
      await expect(egress.post(request('http://both.example.com:9/'))).rejects.toThrow(/ECONNREFUSED/)
    })

    it('answers what came, and follows no redirect', async () => {
      const egress = make({ allow })
      const answer = await egress.post(request(`${canary.url}/hook`))
      expect(answer).toEqual({ status: 200, body: 'seen' })
      expect(canary.received.at(-1)).toMatchObject({ path: '/hook', body: '{"a":1}', headers: { 'x-test': '1' } })
      expect((await egress.post(request(`${canary.url}/redirect`))).status).toBe(302)
      expect(canary.received.some(({ path }) => path === '/inside')).toBe(false)
    })

    it('waits no longer than it was told, for a name, for an answer, or for all of it', async () => {
      const quickly = (url: string) => ({ ...request(url), timeoutMs: 60 })
      const forever = make({ resolve: () => new Promise<never>(() => undefined) })
      await expect(forever.post(quickly('https://example.com/'))).rejects.toMatchObject({ code: 'UNAVAILABLE' })
      const egress = make({ allow })
      for (const path of ['/silent', '/endless'])
        await expect(egress.post(quickly(canary.url + path)), path).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    })

    it('reads 64 KB of an answer and no more', async () => {
      const { body } = await make({ allow }).post(request(`${canary.url}/huge`))
      expect(body).toBe('x'.repeat(64 * 1024))
    })

    it('is unavailable where nobody answers, and where a name does not resolve', async () => {
      const closed = make({ allow: ['127.0.0.1'] })
      await expect(closed.post(request('http://127.0.0.1:9/'))).rejects.toMatchObject({ code: 'UNAVAILABLE' })
      const nameless = make({ resolve: () => Promise.reject(new Error('ENOTFOUND')) })
      expect(await nameless.problem('https://example.com/')).toBeUndefined()
      await expect(nameless.post(request('https://example.com/'))).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    })
  })
}
