import path from 'node:path'
import type { Analyzer, Subject } from '../analyzer.ts'
import type { Remark, Severity } from '../finding.ts'
import type { SourceFile } from '../source/source-files.ts'

/** Tokens, keys and passwords by secretlint in every text file; what it finds is masked in all that is told. */
export const secrets: Analyzer = {
  id: 'secrets',
  looksAt: 'text files',
  applies: () => true,
  run: async function* (subject) {
    const find = await createSecretlint()
    for (const file of subject.files) {
      subject.signal.throwIfAborted()
      const content = await subject.read(file)
      for (const found of await find(file, content)) {
        const remark = toRemark(subject, file, found)
        if (remark) yield remark
      }
      subject.advance(1)
    }
  },
}

type Found = { kind: string; message: string; value: string; line: number; column: number }

const preset = '@secretlint/secretlint-rule-preset-recommend'
/** Key ids are told too: whoever commits one has the key close by. Account ids are no secrets. */
const aws = {
  id: '@secretlint/secretlint-rule-aws',
  options: { enableIDScanRule: true },
  allowMessageIds: ['AWSAccountID'],
}

const createSecretlint = async () => {
  const [{ lintSource }, { creator }] = await Promise.all([
    import('@secretlint/core'),
    import('@secretlint/secretlint-rule-preset-recommend'),
  ])
  const config = { rules: [{ id: preset, rule: creator, rules: [aws] }] }
  return async ({ path: file }: SourceFile, content: string): Promise<Found[]> => {
    const source = { content, filePath: `/${file}`, ext: path.extname(file), contentType: 'text' as const }
    const { messages } = await lintSource({ source, options: { config, noPhysicFilePath: true } })
    return messages.map(({ ruleId, messageId, message, range, loc }) => ({
      kind: `${ruleId.replace(/^@secretlint\/secretlint-rule-/, '')}/${messageId}`,
      message,
      value: content.slice(...range),
      line: loc.start.line,
      column: loc.start.column + 1,
    }))
  }
}

const toRemark = (subject: Subject, file: SourceFile, found: Found): Remark | undefined => {
  const { kind, message, value, line, column } = found
  if (isPlaceholder(value)) return undefined
  for (const secret of [value, passwordOf(value)?.password ?? '']) subject.mask(secret)
  return {
    file: file.path,
    line,
    column,
    severity: severityOf(kind, file.test),
    rule: `secretlint/${kind}`,
    message: `${message.slice(0, message.indexOf(':') + 1) || 'found a secret:'} ***`,
  }
}

/** Often made up for a test; a token that a service issued is not. */
const madeUp = /^(privatekey|basicauth|database-connection-string|aws|npm)\//

const severityOf = (kind: string, inTest: boolean): Severity => (inTest && madeUp.test(kind) ? 'warning' : 'error')

const passwordOf = (value: string) => {
  const [, user, password, host] = /:\/\/([^:@/\s]*):([^@\s]+)@([^/:?\s'"`]*)/.exec(value) ?? []
  return password === undefined ? undefined : { user, password, host: host ?? '' }
}

const localHost =
  /^(localhost|127\.\d+\.\d+\.\d+|0\.0\.0\.0|\[?::1\]?|host|hostname|(.*\.)?example(\.(com|org|net))?|.*\.(test|invalid))$/i
const nobodysPassword =
  /^(p|pw|pwd|pass|passwd|password|passw0rd|secret|postgres|root|admin|user|username|guest|test|testing|example|foo|bar|changeme|[x*.]+|.*[<>{}$%].*|(my|your|the|some)[-_]?\w+)$/i

/** An address in a document or for one's own machine. */
const isPlaceholder = (value: string): boolean => {
  const found = passwordOf(value)
  if (!found) return false
  return nobodysPassword.test(found.password) || found.password === found.user || localHost.test(found.host)
}
