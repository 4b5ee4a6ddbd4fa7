import { createHash, randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import type { ObjectKey, Objects, Presigned } from '#shared/platform/platform.ts'
import { aUlid } from '#test/support/items.ts'
import { type Cannot, contractTest } from './contract-test.ts'

export type ObjectsUnderTest = {
  objects: Objects
  /** Makes a presigned request. @default fetch */
  request?: (presigned: Presigned, body?: Uint8Array<ArrayBuffer>) => Promise<Response>
  close: () => Promise<void>
}

const aKey = (tenant = 'acme'): ObjectKey => ({ tenant, id: `obj_${aUlid()}` })
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
const text = (content: string): Uint8Array<ArrayBuffer> => new Uint8Array(Buffer.from(content))

const asStream = (...chunks: Uint8Array[]): ReadableStream<Uint8Array> =>
  new ReadableStream({
    pull(controller) {
      const next = chunks.shift()
      if (next) controller.enqueue(next)
      else controller.close()
    },
  })

/** A caller that breaks off after its first bytes. */
const broken = (): ReadableStream<Uint8Array> => {
  const chunks = [text('half')]
  return new ReadableStream({
    pull(controller) {
      const next = chunks.shift()
      if (next) controller.enqueue(next)
      else controller.error(new Error('the connection broke'))
    },
  })
}

const send = ({ url, method, headers }: Presigned, body?: Uint8Array<ArrayBuffer>): Promise<Response> =>
  fetch(url, { method, headers, body })

/** What `Objects` promises. */
export const objectsContract = (
  name: string,
  make: () => Promise<ObjectsUnderTest>,
  { cannot }: { cannot?: Cannot } = {},
): void => {
  describe(`objects: ${name}`, () => {
    const it = contractTest(cannot)
    const context: { made?: ObjectsUnderTest } = {}
    const made = (): ObjectsUnderTest => {
      if (context.made === undefined) throw new Error('the objects are made before the tests run')
      return context.made
    }
    const objects = (): Objects => made().objects
    const request = (presigned: Presigned, body?: Uint8Array<ArrayBuffer>): Promise<Response> =>
      (made().request ?? send)(presigned, body)
    beforeAll(async () => {
      context.made = await make()
    })
    afterAll(() => context.made?.close())

    const read = async (key: ObjectKey): Promise<Uint8Array | undefined> => {
      const found = await objects().get(key)
      return found && new Uint8Array(await new Response(found.body).arrayBuffer())
    }

    it('gives back what was put, with its size, checksum and type', async () => {
      const key = aKey()
      const body = text('ünï')
      const stat = { size: 5, sha256: sha256(body), contentType: 'text/plain' }
      expect(await objects().put(key, body, { contentType: 'text/plain' })).toEqual(stat)
      expect(await objects().stat(key)).toEqual(stat)
      expect((await objects().get(key))?.stat).toEqual(stat)
      expect(await read(key)).toEqual(body)
    })

    it('takes and gives streams, of megabytes too', async () => {
      const key = aKey()
      const chunks = Array.from({ length: 6 }, () => new Uint8Array(randomBytes(1_000_000)))
      const whole = Buffer.concat(chunks)
      const stat = await objects().put(key, asStream(...chunks))
      expect(stat).toMatchObject({ size: 6_000_000, sha256: sha256(whole) })
      expect(Buffer.compare(Buffer.from((await read(key)) ?? []), whole)).toBe(0)
    })

    it('keeps an object without content', async () => {
      const key = aKey()
      await objects().put(key, new Uint8Array())
      expect(await objects().stat(key)).toMatchObject({ size: 0 })
      expect(await read(key)).toEqual(new Uint8Array())
    })

    it('gives the rest of an object from a byte on', async () => {
      const key = aKey()
      await objects().put(key, text('0123456789'))
      const from = async (byte: number) => {
        const found = await objects().get(key, { from: byte })
        return [found?.stat.size, found && (await new Response(found.body).text())]
      }
      expect(await Promise.all([0, 1, 9, 10, 11].map(from))).toEqual([
        [10, '0123456789'],
        [10, '123456789'],
        [10, '9'],
        [10, ''],
        [10, ''],
      ])
      expect(await objects().get(aKey(), { from: 3 })).toBeUndefined()
    })

    it('has nothing where nothing was put', async () => {
      expect(await objects().get(aKey())).toBeUndefined()
      expect(await objects().stat(aKey())).toBeUndefined()
    })

    it('keeps tenants apart', async () => {
      const key = aKey('acme')
      await objects().put(key, text('ours'))
      expect(await objects().get({ ...key, tenant: 'other' })).toBeUndefined()
      await objects().put({ ...key, tenant: 'other' }, text('theirs'))
      expect(await read(key)).toEqual(text('ours'))
    })

    it('replaces an object whole', async () => {
      const key = aKey()
      await objects().put(key, text('the first, longer content'), { contentType: 'text/plain' })
      await objects().put(key, text('second'))
      expect(await read(key)).toEqual(text('second'))
      expect(await objects().stat(key)).toMatchObject({ size: 6, sha256: sha256(text('second')) })
    })

    it('takes a declared checksum that is right, and stores nothing under a wrong one', async () => {
      const key = aKey()
      const body = text('declared')
      await expect(objects().put(key, body, { sha256: sha256(text('other')) })).rejects.toMatchObject({
        code: 'INVALID',
      })
      expect(await objects().stat(key)).toBeUndefined()
      await objects().put(key, body, { sha256: sha256(body) })
      await expect(objects().put(key, text('x'), { sha256: sha256(body) })).rejects.toMatchObject({ code: 'INVALID' })
      expect(await read(key)).toEqual(body)
    })

    it('stores nothing of an upload that breaks off', async () => {
      const key = aKey()
      await expect(objects().put(key, broken())).rejects.toThrow()
      expect(await objects().stat(key)).toBeUndefined()
      await objects().put(key, text('whole'))
      await expect(objects().put(key, broken())).rejects.toThrow()
      expect(await read(key)).toEqual(text('whole'))
    })

    it('never shows half an object to a reader while it is replaced', async () => {
      const key = aKey()
      const contents = Array.from({ length: 8 }, (_, at) => text(String(at).repeat(50_000)))
      await objects().put(key, contents[0] ?? text(''))
      const allowed = new Set(contents.map(sha256))
      await Promise.all([
        ...contents.map((content) => objects().put(key, content)),
        ...Array.from({ length: 8 }, async () => expect(allowed).toContain(sha256((await read(key)) ?? text('none')))),
      ])
      expect(allowed).toContain(sha256((await read(key)) ?? text('none')))
    })

    it('deletes, again too', async () => {
      const key = aKey()
      await objects().put(key, text('gone'))
      await objects().delete(key)
      await objects().delete(key)
      expect(await objects().get(key)).toBeUndefined()
      expect(await objects().stat(key)).toBeUndefined()
    })

    it('lets anyone with a presigned address upload and download', async () => {
      const key = aKey()
      const body = text('through an address')
      const before = Date.now()
      const put = await objects().presignPut(key, { seconds: 60, contentType: 'text/plain', sha256: sha256(body) })
      expect(put.method).toBe('PUT')
      expect(Math.abs(put.expiresAt - before - 60_000)).toBeLessThan(10_000)
      expect((await request(put, body)).status).toBe(200)
      expect(await read(key)).toEqual(body)
      const get = await objects().presignGet(key, { seconds: 60 })
      const answer = await request(get)
      expect(answer.status).toBe(200)
      expect(new Uint8Array(await answer.arrayBuffer())).toEqual(body)
    })

    it('takes one upload by an address, and no other content after it', async () => {
      const key = aKey()
      const put = await objects().presignPut(key, { seconds: 60 })
      expect((await request(put, text('first'))).status).toBe(200)
      expect((await request(put, text('other'))).status).toBe(412)
      expect([200, 412]).toContain((await request(put, text('first'))).status)
      expect(await read(key)).toEqual(text('first'))
    })

    it('does not store what differs from the checksum that was signed', async () => {
      const key = aKey()
      const put = await objects().presignPut(key, { seconds: 60, sha256: sha256(text('right')) })
      expect((await request(put, text('wrong'))).status).toBeGreaterThanOrEqual(400)
      expect(await objects().stat(key)).toBeUndefined()
    })

    it('refuses an address that was changed, or is over', async () => {
      const key = aKey()
      await objects().put(key, text('secret'))
      const get = await objects().presignGet(key, { seconds: 60 })
      const [elsewhere, forged] = [aKey(), new URL(get.url)]
      await objects().put(elsewhere, text('other'))
      forged.pathname = forged.pathname.replace(key.id, elsewhere.id)
      expect((await request({ ...get, url: forged.href })).status).toBe(403)
      expect((await request({ ...get, method: 'PUT' }, text('x'))).status).toBe(403)
      const short = await objects().presignGet(key, { seconds: 1 })
      await new Promise((resolve) => setTimeout(resolve, 2100))
      expect((await request(short)).status).toBe(403)
    })
  })
}
