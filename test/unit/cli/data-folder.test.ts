import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished, vi } from 'vitest'
import { readCredentials, writeCredentials } from '#cli/server/data-folder.ts'

const paths = new Map<number, string>()
const steps: string[] = []
vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>()
  return {
    ...fs,
    openSync: (path: string, ...rest: never[]) => {
      const handle = fs.openSync(path, ...(rest as unknown as [string]))
      paths.set(handle, path)
      return handle
    },
    fsyncSync: (handle: number) => {
      steps.push(`flush ${paths.get(handle)}`)
      fs.fsyncSync(handle)
    },
    renameSync: (from: string, to: string) => {
      steps.push(`rename ${to}`)
      fs.renameSync(from, to)
    },
  }
})

it('credentials outlast a power loss: the file is flushed, then put in its place, then the folder is flushed', () => {
  const folder = mkdtempSync(join(tmpdir(), 'devcycle-credentials-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'credentials.json')
  writeCredentials(folder, { apiKey: 'dck_x' })
  expect(steps).toEqual([expect.stringMatching(/^flush .*\.tmp$/), `rename ${file}`, `flush ${folder}`])
  expect(readCredentials(folder)).toEqual({ apiKey: 'dck_x' })
  expect(statSync(file).mode & 0o777).toBe(0o600)
})
