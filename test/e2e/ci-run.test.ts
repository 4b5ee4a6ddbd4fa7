import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** Tests that fail in each of the ways in which tests fail. */
const failing = {
  'values.test.ts':
    "describe('a sum', () => it('is right', () => expect({ sum: 1 }).toEqual({ sum: 2 })))\nit('holds', () => {})\n",
  'hook.test.ts': "beforeAll(() => { throw new Error('no emulator') })\nit('never comes to it', () => {})\n",
  'import.test.ts': "import './nothing-there.ts'\n",
  'loose.test.ts':
    "it('ends', async () => { Promise.reject(new Error('nobody waits')); await new Promise((r) => setTimeout(r, 5)) })\n",
}

/** What stands in for npm: a suite that fails, a step that fails with many words, a suite that is too late to report. */
const npm = `#!/usr/bin/env bash
case "$1 \${2:-}" in
  'test --') printf '%s\\n' '✗ values.test.ts > is right' > "$FAILURES_FILE"
    echo '{ "numPassedTests": 5, "numFailedTests": 1 }' > "$(printf '%s\\n' "$@" | sed -n 's/--outputFile.json=//p')"
    exit 1 ;;
  'run verify') seq 1 100; echo 'types: it is no number' >&2; exit 1 ;;
  'run test:aws') echo 'the emulator did not start'; exit 3 ;;
esac
`

describe('what failed', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'devcycle-ci-'))
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text, { mode: 0o755 })

  it('is told by name and message, also of hooks, imports and what nobody waited for', () => {
    for (const [name, text] of Object.entries(failing)) write(name, text)
    const file = join(folder, 'failures.txt')
    const words = ['run', '--root', folder, '--globals', `--reporter=${root}.ci/tell-failures.ts`]
    const vitest = join(root, 'node_modules/vitest/vitest.mjs')
    const { status } = spawnSync(process.execPath, [vitest, ...words], { env: { ...process.env, FAILURES_FILE: file } })
    expect(status).toBe(1)
    const told = readFileSync(file, 'utf8')
    expect(told).toMatch(/✗ values\.test\.ts > a sum > is right\n.*expected \{ sum: 1 \}[^✗]*values\.test\.ts:1\n/)
    expect(told).toMatch(/✗ hook\.test\.ts\n +no emulator\n/)
    expect(told).toMatch(/✗ import\.test\.ts\n.*nothing-there\.ts/)
    expect(told).toMatch(/✗ an error outside of every test\n +nobody waits\n/)
    expect(told.match(/✗/g)).toHaveLength(4)
  })

  it('comes last, of every step', () => {
    const stood = join(folder, 'bin')
    for (const made of [stood, join(folder, '.emulators/python')]) mkdirSync(made, { recursive: true })
    for (const one of ['git', 'python3', 'java', 'mvn', 'curl', 'openssl']) write(`bin/${one}`, '#!/bin/sh\n')
    write('bin/npm', npm)
    write('.emulators/python/.done', '')
    cpSync(join(root, '.ci'), join(folder, '.ci'), { recursive: true })
    const env = { ...process.env, PATH: [stood, process.env.PATH].join(delimiter) }
    const { stdout, status } = spawnSync('bash', [join(folder, '.ci/run')], { env, encoding: 'utf8' })
    expect(status).toBe(1)
    const [, end] = stdout.split(/── npm run test:aws: FAILED.*\n/)
    expect(end?.split('\n')).toEqual([
      '── npm run test:aws: what failed',
      'the emulator did not start',
      '── npm test: what failed',
      '✗ values.test.ts > is right',
      '── verify: what failed',
      ...Array.from({ length: 39 }, (_, at) => `${at + 62}`),
      'types: it is no number',
      '5 passed, 3 failed',
      '',
    ])
  })
})
