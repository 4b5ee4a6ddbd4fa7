import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'

/** Temporary folders that go away after the tests of the block. */
export const aFolder = (): { folder: () => string } => {
  const made: string[] = []
  afterAll(() => {
    for (const folder of made) rmSync(folder, { recursive: true, force: true })
  })
  return {
    folder() {
      const folder = mkdtempSync(join(tmpdir(), 'devcycle-test-'))
      made.push(folder)
      return folder
    },
  }
}
