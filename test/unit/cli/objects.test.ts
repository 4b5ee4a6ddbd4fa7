import { join } from 'node:path'
import { expect, it } from 'vitest'
import { uploadFile } from '#cli/client/objects.ts'
import { aServer, json } from './a-server.ts'

const file = join(import.meta.dirname, 'objects.test.ts')
const stored = { id: 'obj_1', state: 'STORED' }

/** Storage that keeps the first upload, loses its answer, and refuses others. */
const forgetful = () =>
  aServer(({ method, url, headers: { host } }, response, nth) => {
    if (method === 'GET') return json(response, 200, stored)
    if (method === 'POST')
      return json(response, 201, {
        id: 'obj_1',
        state: 'PENDING',
        upload: { method: 'PUT', url: `http://${host}/put`, headers: {} },
      })
    return nth === 2 ? void response.destroy() : void response.writeHead(412).end(url)
  })

it('an upload whose answer was lost is sent again, and is there when the storage has it already', async () => {
  await using server = await forgetful()
  expect(await uploadFile(server.client, file)).toEqual(stored)
  expect(server.requests.map(({ url }) => url)).toEqual(['/api/v2/objects', '/put', '/put', '/api/v2/objects/obj_1'])
})
