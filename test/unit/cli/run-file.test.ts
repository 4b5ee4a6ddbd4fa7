import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import type { Client } from '#cli/client/client.ts'
import { ApiError } from '#cli/client/errors.ts'
import { runWorkflow } from '#cli/commands/run.ts'

const asked: string[] = []
beforeEach(() => asked.splice(0))

/** A server with some workflows; each definition that it is given is called `stored`. */
const clientOf = (...names: string[]): Client =>
  ({
    get: async (path: string) => {
      asked.push(`GET ${path}`)
      if (names.some((name) => path === `/workflows/${name}`)) return {}
      throw new ApiError('there is none (NOT_FOUND)', { status: 404, code: 'NOT_FOUND', errors: [] })
    },
    request: async (method: string, path: string) => {
      asked.push(`${method} ${path}`)
      return { name: 'stored', latest: 1 }
    },
    create: async (path: string) => {
      asked.push(`POST ${path}`)
      return { id: 'run_1' }
    },
  }) as unknown as Client

const folder = mkdtempSync(join(tmpdir(), 'devcycle-run-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe('what is run is', () => {
  it('a file where its path says so', async () => {
    await expect(runWorkflow(clientOf('nofile'), './nofile', {})).rejects.toMatchObject({
      message: './nofile cannot be read: there is no such file',
      exitCode: 2,
    })
    expect(asked).toEqual([])
    const file = join(folder, 'release')
    writeFileSync(file, 'workflow: stored')
    await runWorkflow(clientOf(), file, { json: true })
    expect(asked).toEqual(['POST /workflows', 'POST /workflows/stored/runs'])
  })

  it('a file that is there, before a workflow of the same name', async () => {
    await runWorkflow(clientOf('package.json'), 'package.json', { json: true })
    expect(asked).toEqual(['POST /workflows', 'POST /workflows/stored/runs'])
  })

  it.each(['nofile.yaml', 'nofile.yml', 'nofile.json'])('a workflow where there is no such file: %s', async (name) => {
    await runWorkflow(clientOf(name), name, { json: true })
    expect(asked).toEqual([`GET /workflows/${name}`, `POST /workflows/${name}/runs`])
  })

  it('nothing where there is neither, which is told before its repository is sent', async () => {
    const started = runWorkflow(clientOf(), 'nofile.yaml', { repository: '/nowhere' })
    await expect(started).rejects.toMatchObject({
      message: 'there is neither a file nofile.yaml here nor a workflow of that name',
      exitCode: 4,
    })
    expect(asked).toEqual(['GET /workflows/nofile.yaml'])
  })

  it('a workflow by any other name', async () => {
    await runWorkflow(clientOf(), 'nightly.v2', { json: true })
    expect(asked).toEqual(['POST /workflows/nightly.v2/runs'])
  })
})
