import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const source = new URL('../../../cli/compile-cache.ts', import.meta.url).href
const folder = fileURLToPath(new URL('../../../node_modules/.cache/devcycle', import.meta.url))

const code = `
  import { getCompileCacheDir } from 'node:module'
  import { Worker } from 'node:worker_threads'
  import { keepCompiled } from '${source}'
  keepCompiled()
  console.log(getCompileCacheDir())
  new Worker('console.log(process.getBuiltinModule("node:module").getCompileCacheDir())', { eval: true })`

/** Where the process, and a thread that it starts, keep what they compile. */
const foldersUnder = (env: NodeJS.ProcessEnv): string[] => {
  const { NODE_COMPILE_CACHE: _, NODE_DISABLE_COMPILE_CACHE: __, ...surroundings } = process.env
  const args = ['--input-type=module', '--eval', code]
  return execFileSync(process.execPath, args, { env: { ...surroundings, ...env }, encoding: 'utf8' })
    .trim()
    .split('\n')
}

it('keeps what the process and its threads compile beside the code, which has the same owner', () => {
  const kept = foldersUnder({})
  expect(kept).toHaveLength(2)
  for (const one of kept) expect(one.startsWith(folder)).toBe(true)
})

it('keeps nothing where that is switched off', () => {
  expect(foldersUnder({ NODE_DISABLE_COMPILE_CACHE: '1' })).toEqual(['undefined', 'undefined'])
})
