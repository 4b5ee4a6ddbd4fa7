import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { rm, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { Hono } from 'hono'
import { describe, expect, test } from 'vitest'
import { mountEmbedded } from '#cli/server/mount-embedded.ts'
import type { ApiEnv } from '#functions/api/operation.ts'
import { createFileObjects } from '#shared/platform/embedded/file-objects.ts'
import { createPresigner } from '#shared/platform/embedded/presigner.ts'
import type { Clock } from '#shared/platform/platform.ts'
import { createSystemClock, createSystemRandom } from '#shared/platform/system.ts'
import { aPlatform } from '#test/support/embedded.ts'
import { aFolder } from '#test/support/folders.ts'
import { aSkewedClock } from '#test/support/skewed-clock.ts'
import { objectsContract } from './objects-contract.ts'

objectsContract('files', async () => {
  const { platform, close } = await aPlatform()
  const app = new Hono<ApiEnv>()
  mountEmbedded(app, platform, (_, next) => next())
  return {
    objects: platform.objects,
    request: async ({ url, method, headers }, body) => app.request(url, { method, headers, body }),
    close,
  }
})

const { folder } = aFolder()
const key = { tenant: 'acme', id: 'obj_1' }
const text = (content: string): Uint8Array => Buffer.from(content)

/** The objects of the embedded platform alone. */
const anObjectStore = (home: string, clock: Clock = createSystemClock()) => {
  const baseUrl = (): string => 'http://127.0.0.1:1'
  const presigner = createPresigner({ dataDir: home, baseUrl, clock, random: createSystemRandom() })
  return { presigner, objects: createFileObjects({ root: join(home, 'objects'), presigner }) }
}

/** Every file of the objects, without folders. */
const filesOf = (home: string): string[] =>
  readdirSync(join(home, 'objects'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))

const contentFile = (home: string): string => filesOf(home).find((file) => !file.endsWith('.json')) ?? ''

describe('damaged files', () => {
  const damages: [string, (home: string) => Promise<void>][] = [
    ['a changed byte', async (home) => writeFileSync(contentFile(home), 'the contenT')],
    ['a lost end', (home) => truncate(contentFile(home), 5)],
    ['lost content', (home) => rm(contentFile(home))],
    [
      'a damaged description',
      async (home) => writeFileSync(`${contentFile(home).replace(/\.[0-9a-f]{64}$/, '')}.json`, '{'),
    ],
  ]
  for (const [what, damage] of damages)
    test(`${what} is noticed, and the object can be put again`, async () => {
      const home = folder()
      const { objects } = anObjectStore(home)
      await objects.put(key, text('the content'))
      await damage(home)
      const read = async () => new Response((await objects.get(key))?.body).text()
      await expect(read()).rejects.toMatchObject({ code: 'CORRUPT' })
      await objects.put(key, text('again'))
      expect(await read()).toBe('again')
    })
})

describe('files of objects', () => {
  test('are none but the content and its description, for their owner alone', async () => {
    const home = folder()
    const { objects } = anObjectStore(home)
    for (const content of ['first', 'second', 'third']) await objects.put(key, text(content))
    const files = filesOf(home)
    expect(files).toHaveLength(2)
    for (const file of files) expect(statSync(file).mode & 0o077).toBe(0)
    await objects.delete(key)
    expect(filesOf(home)).toEqual([])
  })

  test('that a killed process left half written are gone after the next start', async () => {
    const home = folder()
    anObjectStore(home)
    writeFileSync(join(home, 'objects', '.uploads', 'half.tmp'), 'half')
    anObjectStore(home)
    expect(filesOf(home)).toEqual([])
  })

  test('never lie outside of their folder', async () => {
    const { objects } = anObjectStore(folder())
    const bad = ['', '.', '..', '../x', 'a/b', '/etc/passwd', '.hidden', 'a\0b', 'a b', 'x'.repeat(201)]
    for (const id of bad) {
      await expect(objects.put({ ...key, id }, text('x'))).rejects.toMatchObject({ code: 'INVALID' })
      await expect(objects.get({ ...key, tenant: id })).rejects.toMatchObject({ code: 'INVALID' })
    }
  })
})

describe('signed addresses', () => {
  test('say what they allow, to the process that comes after, too', async () => {
    const home = folder()
    const { objects } = anObjectStore(home)
    const terms = { contentType: 'text/plain', sha256: 'ab'.repeat(32), size: 12 }
    const put = await objects.presignPut(key, { seconds: 60, ...terms })
    const get = await objects.presignGet(key, { seconds: 60, fileName: 'bericht für alle.txt' })
    const { presigner } = anObjectStore(home)
    expect(presigner.verify(new URL(put.url), 'PUT')).toMatchObject({ ...key, ...terms })
    expect(presigner.verify(new URL(get.url), 'GET')).toMatchObject({ fileName: 'bericht für alle.txt' })
  })

  test('are good for nothing else', async () => {
    const [home, clock] = [folder(), aSkewedClock()]
    const { objects, presigner } = anObjectStore(home, clock)
    const { url } = await objects.presignPut(key, { seconds: 60, size: 3 })
    const changed = (change: (address: URL) => void): URL => {
      const address = new URL(url)
      change(address)
      return address
    }
    const bad = [
      changed((address) => address.searchParams.set('tenant', 'other')),
      changed((address) => address.searchParams.set('expires', String(Date.now() + 1e9))),
      changed((address) => address.searchParams.delete('size')),
      changed((address) => address.searchParams.append('size', '99')),
      changed((address) => address.searchParams.set('fileName', 'x')),
      changed((address) => address.searchParams.set('signature', '')),
      changed((address) => address.searchParams.delete('signature')),
      changed((address) => {
        address.pathname = address.pathname.replace('obj_1', 'obj_2')
      }),
    ]
    expect(presigner.verify(new URL(url), 'PUT')).toMatchObject({ ...key, size: 3 })
    for (const address of bad) expect(presigner.verify(address, 'PUT')).toBeUndefined()
    for (const method of ['GET', 'DELETE']) expect(presigner.verify(new URL(url), method)).toBeUndefined()
    expect(anObjectStore(folder()).presigner.verify(new URL(url), 'PUT')).toBeUndefined()
    clock.forward(60_001)
    expect(presigner.verify(new URL(url), 'PUT')).toBeUndefined()
    expect(readFileSync(join(home, 'signing.key'))).toHaveLength(32)
    expect(statSync(join(home, 'signing.key')).mode & 0o777).toBe(0o600)
  })
})
