import type { SgNode } from '@ast-grep/napi'
import { isSensitive, type Pattern, severityOfParts, surroundings } from './pattern.ts'
import { expressionsIn, fillFormat, type Piece, sqlHint, sqlValuesIn } from './pieces.ts'

const argumentsOf = (node: SgNode): SgNode[] =>
  node
    .field('arguments')
    ?.children()
    .filter((one) => one.isNamed()) ?? []

const isText = (node: SgNode) => node.kind() === 'interpreted_string_literal' || node.kind() === 'raw_string_literal'

/** Of literals and expressions with `+` between, or of a `Sprintf`. */
const piecesOf = (node: SgNode): Piece[] => {
  if (isText(node)) return [{ text: node.text().slice(1, -1) }]
  if (node.kind() === 'binary_expression' && node.field('operator')?.text() === '+')
    return [node.field('left'), node.field('right')].flatMap((side) => (side ? piecesOf(side) : []))
  const [format, ...values] = node.kind() === 'call_expression' ? argumentsOf(node) : []
  if (!format || !isText(format) || node.field('function')?.text() !== 'fmt.Sprintf')
    return [{ expression: node.text() }]
  return fillFormat(
    format.text().slice(1, -1),
    /%[+#]?[svdq]/g,
    values.map((one) => one.text()),
  )
}

const dynamicParts = (node: SgNode): string[] => expressionsIn(piecesOf(node))

const call = (name: string) => ({ kind: 'call_expression', has: { field: 'function', regex: `^(?:${name})$` } })

/** For Go. */
export const goPatterns: Pattern[] = [
  {
    id: 'go-command-injection',
    hint: /exec\.Command/,
    severity: 'warning',
    message: 'a shell command is put together from parts: start the program itself, with its arguments',
    find: {
      rule: {
        all: [
          call('exec\\.Command(?:Context)?'),
          { regex: '"(/bin/)?(sh|bash|zsh|cmd|cmd\\.exe|powershell)",\\s*"(-c|-lc|/c|/C|-Command)"' },
        ],
      },
    },
    confirm: (node) => severityOfParts(argumentsOf(node).flatMap(dynamicParts)),
  },
  {
    id: 'go-sql-injection',
    hint: sqlHint,
    severity: 'error',
    message: 'a value is written into an SQL statement: pass it as a parameter',
    find: {
      rule: {
        any: [call('fmt\\.Sprintf'), { kind: 'binary_expression', not: { inside: { kind: 'binary_expression' } } }],
      },
    },
    confirm: (node) => sqlValuesIn(piecesOf(node)).length > 0,
  },
  {
    id: 'go-tls-not-verified',
    hint: /InsecureSkipVerify/,
    severity: 'error',
    message: 'certificates are not verified: anyone in between can read and change what is sent',
    find: { rule: { kind: 'keyed_element', regex: '^InsecureSkipVerify\\s*:\\s*true$' } },
  },
  {
    id: 'go-old-tls',
    hint: /tls\.Version/,
    severity: 'warning',
    message: 'SSL 3.0, TLS 1.0 and TLS 1.1 are broken: use tls.VersionTLS12 or later',
    find: { rule: { kind: 'keyed_element', regex: '^MinVersion\\s*:\\s*tls\\.Version(SSL30|TLS10|TLS11)$' } },
  },
  {
    id: 'go-ssh-host-key',
    hint: /InsecureIgnoreHostKey/,
    severity: 'warning',
    message: 'the host key is not checked: anyone in between can pose as the host',
    find: { rule: call('ssh\\.InsecureIgnoreHostKey') },
  },
  {
    id: 'go-weak-hash',
    hint: /\b(md5|sha1)\./,
    severity: 'warning',
    message: 'MD5 and SHA-1 do not protect secrets: use bcrypt or argon2 for passwords, SHA-256 or HMAC otherwise',
    find: { rule: call('(?:md5|sha1)\\.(?:New|Sum)') },
    confirm: (node) => isSensitive(surroundings(node)),
  },
  {
    id: 'go-weak-cipher',
    hint: /\b(des|rc4)\./,
    severity: 'warning',
    message: 'this cipher is broken: use aes with cipher.NewGCM',
    find: { rule: call('des\\.NewCipher|des\\.NewTripleDESCipher|rc4\\.NewCipher') },
  },
  {
    id: 'go-insecure-random',
    hint: /"math\/rand/,
    severity: 'warning',
    message: 'math/rand can be predicted: use crypto/rand',
    find: { rule: call('rand\\.(?:Int|Intn|Int31|Int31n|Int63|Int63n|Uint32|Uint64|Read|IntN|N)') },
    confirm: (node) => isSensitive(surroundings(node)),
  },
  {
    id: 'go-defer-before-error',
    hint: /defer \w+\.Body\.Close/,
    severity: 'warning',
    message: 'the body is closed before the error is checked: on an error the response is nil, and this panics',
    find: {
      rule: {
        kind: 'defer_statement',
        regex: '^defer \\w+\\.Body\\.Close\\(\\)$',
        follows: {
          kind: 'short_var_declaration',
          regex:
            '^\\w+,\\s*\\w+\\s*:=\\s*(http|client|c|httpClient|\\w+\\.(client|Client))\\.(Get|Post|Do|Head|PostForm)\\(',
        },
      },
    },
    confirm: (node) => node.prev()?.field('left')?.child(0)?.text() === /^defer (\w+)/.exec(node.text())?.[1],
  },
  {
    id: 'go-sleep-nanoseconds',
    hint: /time\.(Sleep|After|NewTimer|NewTicker|Tick)\(\d/,
    severity: 'warning',
    message: 'a number alone is nanoseconds: multiply it by time.Millisecond or time.Second',
    find: {
      rule: { kind: 'call_expression', regex: '^time\\.(Sleep|After|NewTimer|NewTicker|Tick)\\([1-9]\\d{0,4}\\)$' },
    },
  },
  {
    id: 'go-add-inside-goroutine',
    hint: /[wW](g|aitGroup)\.Add\(/,
    severity: 'warning',
    message: 'Add runs inside of the goroutine: Wait may return before; call it before `go`',
    find: {
      rule: {
        all: [
          { kind: 'call_expression' },
          { regex: '^(wg|waitGroup|\\w*[wW]g)\\.Add\\(' },
          {
            inside: {
              kind: 'func_literal',
              stopBy: 'end',
              inside: { kind: 'call_expression', inside: { kind: 'go_statement' } },
            },
          },
        ],
      },
    },
  },
]
