import type { NapiConfig, SgNode } from '@ast-grep/napi'
import type { Severity } from '../../finding.ts'

/** Code of a certain shape: `find` names candidates, `confirm` has the last word. */
export type Pattern = {
  /** `<language>-<what>`. */
  id: string
  /** Only files that have it are parsed and searched. */
  hint: RegExp
  severity: Severity
  message: string
  find: NapiConfig
  /** Whether a candidate counts, and how severe it is where that differs. @default as found */
  confirm?: (node: SgNode) => boolean | Severity
}

/** Names of values that come from outside. */
const outside = /\b(req|request)\b|argv|stdin|\b(query|params|body|form|event|ctx)[.[]|input/i

/** More severe where a part visibly comes from outside. */
export const severityOfParts = (parts: string[]): boolean | Severity => {
  if (parts.length === 0) return false
  return parts.some((part) => outside.test(part)) ? 'error' : true
}

/** Text that is hashed, or drawn at random, for the sake of security. */
export const isSensitive = (text: string): boolean =>
  /passw|pwd|passphrase|secret|credential|api_?key|otp\b|csrf|nonce|salt\b|((session|access|auth|reset|login)_?(id|key|token)|\b_?tokens?\b|[a-z]Token\b)/i.test(
    text,
  )

/** The statement around a node, and the name of the function around that. */
export const surroundings = (node: SgNode): string => {
  const statement = node.ancestors().find((one) => statements.test(String(one.kind())))
  const inside = node.ancestors().find((one) => functions.test(String(one.kind())))
  return `${inside?.field('name')?.text() ?? ''} ${(statement ?? node).text().slice(0, 400)}`
}
const statements = /(statement|declaration|assignment)$/
const functions = /^(function_declaration|function_definition|method_definition|method_declaration)$/
