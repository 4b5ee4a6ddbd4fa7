import { spawnSync } from 'node:child_process'
import { existsSync, globSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { synthesize } from '#test/infra/synthesize.ts'
import { requires } from '#test/support/requires.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const mostSeconds = 15

const installed = join(root, '.emulators/python/bin/cfn-lint')
const cfnLint = existsSync(installed) ? installed : 'cfn-lint'
/** CDK names dependencies that CloudFormation would see by itself. */
const ignored = ['W3005']

/** Neither credentials, nor a way out, nor Docker. */
const cutOff = (home: string): NodeJS.ProcessEnv => ({
  PATH: [join(root, 'node_modules/.bin'), dirname(process.execPath), '/usr/bin', '/bin'].join(delimiter),
  HOME: home,
  HTTPS_PROXY: 'http://127.0.0.1:9',
  HTTP_PROXY: 'http://127.0.0.1:9',
  CDK_DOCKER: 'false',
})

/** Processor seconds of a shell's children, as its `times` prints them. */
const secondsOf = (times: string): number => {
  const [user = 0, system = 0] = [...(times.trim().split('\n').at(-1) ?? '').matchAll(/(\d+)m([\d.]+)s/g)].map(
    ([, minutes, seconds]) => Number(minutes) * 60 + Number(seconds),
  )
  return user + system
}

describe('cdk synth', () => {
  let home: string
  beforeAll(() => {
    home = mkdtempSync(join(tmpdir(), 'devcycle-synth-'))
  })
  afterAll(() => rmSync(home, { recursive: true, force: true }))

  it(`takes no credentials, no network, no Docker, and less than ${mostSeconds} s of a processor`, () => {
    const command = `cdk synth --quiet --output "${join(home, 'cdk.out')}" >&2 && times`
    const { stdout, stderr, status } = spawnSync('sh', ['-c', command], {
      cwd: root,
      env: cutOff(home),
      encoding: 'utf8',
    })
    expect({ status, stderr }).toMatchObject({ status: 0 })
    expect(globSync('cdk.out/*.template.json', { cwd: home })).toHaveLength(6)
    expect(secondsOf(stdout)).toBeGreaterThan(0)
    expect(secondsOf(stdout)).toBeLessThan(mostSeconds)
  }, 120_000)

  it.skipIf(!requires(cfnLint))(
    'makes templates that cfn-lint has nothing against',
    () => {
      const domain = { name: 'api.example.com', certificateArn: 'arn:aws:acm:eu-west-1:123456789012:certificate/c' }
      const apps = [
        synthesize(),
        synthesize({ stage: 'prod' }, { network: 'private', domain, alarmEmail: 'o@example.com' }),
      ]
      const templates = apps.flatMap(({ folder }) => globSync(join(folder, '*.template.json')))
      const { stdout, status } = spawnSync(cfnLint, [...templates, '--ignore-checks', ...ignored], { encoding: 'utf8' })
      expect({ stdout, status }).toEqual({ stdout: '', status: 0 })
    },
    120_000,
  )
})
