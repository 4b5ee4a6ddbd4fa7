import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { requires } from '#test/support/requires.ts'

const model = fileURLToPath(new URL('lease.pml', import.meta.url))
const home = mkdtempSync(join(tmpdir(), 'devcycle-spin-'))
afterAll(() => rmSync(home, { recursive: true, force: true }))

const claims = ['once', 'fenced', 'unique'] as const

/** The claims that an exhaustive search finds broken. */
const broken = (define?: string): string[] => {
  const cwd = mkdtempSync(join(home, 'run-'))
  execFileSync('spin', [...(define ? [`-D${define}`] : []), '-a', model], { cwd, stdio: 'ignore' })
  execFileSync('gcc', ['-O0', '-o', 'pan', 'pan.c'], { cwd, stdio: 'ignore' })
  return claims.filter((claim) => {
    const output = execFileSync(join(cwd, 'pan'), ['-a', '-N', claim], {
      cwd,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    expect(output).not.toContain('max search depth too small')
    return !/errors: 0\b/.test(output)
  })
}

describe.skipIf(!requires('spin', ['-V']) || !requires('gcc'))(
  'the Promela model of leases, fences and a restore',
  () => {
    it('keeps its claims in every reachable state', () => expect(broken()).toEqual([]), 30_000)

    it.each([
      ['NO_FENCE', ['fenced']],
      ['NO_EPOCH', ['fenced', 'unique']],
      ['NO_GENERATION', ['fenced', 'unique']],
    ])(
      'breaks them with %s: each part is there for a reason',
      (define, expected) => {
        expect(broken(define)).toEqual(expected)
      },
      30_000,
    )
  },
)
