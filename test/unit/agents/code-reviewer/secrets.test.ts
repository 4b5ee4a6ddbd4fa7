import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { secrets } from '#agent/agents/code-reviewer/analyzers/secrets.ts'
import { inShort, runAnalyzer } from './run-analyzer.ts'

/** Made anew each time, and put together from parts, so that no scanner finds them here. */
const letters = (length: number, alphabet = 'ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789') =>
  Array.from(randomBytes(length), (byte) => alphabet[byte % alphabet.length]).join('')
const awsKeyId = () => `AKIA${letters(16, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567')}`
const slackToken = () => `xoxb-${letters(12, '0123456789')}-${letters(12, '0123456789')}-${letters(24)}`
const privateKey = () =>
  generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  }).privateKey.trim()
const address = (user: string, password: string, host: string) => `https://${user}:${password}@${host}/x`

describe('the secrets analyzer', () => {
  it('finds tokens and keys in any text file, and tells them masked', async () => {
    const [token, key, id] = [slackToken(), privateKey(), awsKeyId()]
    const ran = await runAnalyzer(secrets, {
      'src/config.ts': `export const a = 1\nexport const slack = '${token}'\n`,
      '.env.production': `AWS_ACCESS_KEY_ID=${id}\n`,
      'deploy/id_rsa': `${key}\n`,
      'README.md': 'nothing here\n',
    })
    expect(inShort(ran)).toEqual([
      'error secretlint/aws/AWSAccessKeyID .env.production:1',
      'error secretlint/privatekey/PrivateKey deploy/id_rsa:1',
      'error secretlint/slack/SLACK_TOKEN src/config.ts:2',
    ])
    const told = JSON.stringify(ran.remarks)
    for (const secret of [token, id, ...key.split('\n').slice(1, -1)]) expect(told).not.toContain(secret)
    expect(ran.masked.join('\n')).toContain(token)
  })

  it('finds passwords in addresses, but not those that are nobody’s', async () => {
    const password = letters(14)
    const ran = await runAnalyzer(secrets, {
      'a.ts': `fetch('${address('service', password, 'api.acme.dev')}')\n`,
      'b.md': [
        address('user', 'password', 'api.acme.dev'),
        address('me', password, 'localhost:8080'),
        address('me', password, 'example.com'),
        address('me', `$\{PASSWORD}`, 'api.acme.dev'),
        address('me', '<your-token>', 'api.acme.dev'),
      ].join('\n'),
    })
    expect(inShort(ran)).toEqual(['error secretlint/basicauth/BasicAuth a.ts:1'])
    expect(ran.masked).toContain(password)
  })

  it('takes keys that were made up for a test less seriously, tokens of a service not', async () => {
    const ran = await runAnalyzer(secrets, { 'test/key.pem': privateKey(), 'test/a.ts': `'${slackToken()}'` })
    expect(inShort(ran)).toEqual([
      'error secretlint/slack/SLACK_TOKEN test/a.ts:1',
      'warning secretlint/privatekey/PrivateKey test/key.pem:1',
    ])
  })

  it('says nothing of hashes, identifiers and examples', async () => {
    const { remarks } = await runAnalyzer(secrets, {
      'a.txt': [
        `sha512-${randomBytes(64).toString('base64')}`,
        randomBytes(20).toString('hex'),
        crypto.randomUUID(),
      ].join('\n'),
      'b.txt': `${'AKIA'}IOSFODNN7EXAMPLE`,
      'c.ts': "const password = process.env.PASSWORD ?? ''\n",
    })
    expect(remarks).toEqual([])
  })

  it('respects what an author marked', async () => {
    const { remarks } = await runAnalyzer(secrets, {
      'a.ts': `// secretlint-disable-next-line\nconst a = '${slackToken()}'\n`,
    })
    expect(remarks).toEqual([])
  })
})
