import type { SgNode } from '@ast-grep/napi'
import { isSensitive, type Pattern, severityOfParts, surroundings } from './pattern.ts'
import { expressionsIn, type Piece, sqlHint, sqlValuesIn } from './pieces.ts'

/** Of a template, or of texts and expressions with `+` between. */
const piecesOf = (node: SgNode): Piece[] => {
  const kind = node.kind()
  if (kind === 'string') return [{ text: node.text().slice(1, -1).replace(/\\(.)/g, '$1') }]
  if (kind === 'template_string') return [{ text: '' }, ...node.children().flatMap(piecesOfTemplate)]
  if (kind === 'parenthesized_expression')
    return node
      .children()
      .filter((one) => one.isNamed())
      .flatMap(piecesOf)
  if (kind !== 'binary_expression' || node.field('operator')?.text() !== '+') return [{ expression: node.text() }]
  return [node.field('left'), node.field('right')].flatMap((side) => (side ? piecesOf(side) : []))
}

const piecesOfTemplate = (child: SgNode): Piece[] => {
  if (child.kind() === 'template_substitution') return [{ expression: child.text().slice(2, -1).trim() }]
  return child.isNamed() ? [{ text: child.text() }] : []
}

const dynamicParts = (node: SgNode): string[] => expressionsIn(piecesOf(node))

const argumentsOf = (node: SgNode): SgNode[] =>
  node
    .field('arguments')
    ?.children()
    .filter((one) => one.isNamed()) ?? []

const isText = (node: SgNode) => node.kind() === 'string' || node.kind() === 'template_string'

const isLiteral = (node: SgNode): boolean => isText(node) && dynamicParts(node).length === 0

/** A tag makes parameters of what it is given. */
const isTagged = (node: SgNode) => node.parent()?.kind() === 'call_expression'

const call = (name: string) => ({
  kind: 'call_expression',
  has: { field: 'function', regex: `^(?:${name})$` },
})

const fromRequest =
  /\b(req|request|ctx\.request|ctx|event)\.(query|params|body|headers|cookies|queryStringParameters)\b/

/** For JavaScript and TypeScript. */
export const javascriptPatterns: Pattern[] = [
  {
    id: 'js-eval',
    hint: /\beval\b|\bFunction\b/,
    severity: 'warning',
    message: 'code is made from a text at run time: whoever controls the text runs code',
    find: {
      rule: {
        any: [
          call('(?:globalThis\\.|window\\.)?eval'),
          { kind: 'new_expression', has: { field: 'constructor', regex: '^Function$' } },
        ],
      },
    },
    confirm: (node) => {
      const dynamic = argumentsOf(node).filter((one) => !isLiteral(one))
      return severityOfParts(dynamic.map((one) => one.text()))
    },
  },
  {
    id: 'js-command-injection',
    hint: /child_process|execa|zx|shelljs/,
    severity: 'warning',
    message: 'a shell command is put together from parts: pass them as arguments to execFile or spawn instead',
    find: { rule: call('(?:(?:child_process|childProcess|cp)\\.)?exec(?:Sync|Async|Promise)?') },
    confirm: (node) => {
      const [command] = argumentsOf(node)
      return command !== undefined && severityOfParts(dynamicParts(command))
    },
  },
  {
    id: 'js-shell-option',
    hint: /shell:\s*true/,
    severity: 'warning',
    message: 'a program is started through a shell with interpolated text: leave out `shell: true`',
    find: {
      rule: { all: [call('(?:\\w+\\.)?(?:spawn|spawnSync|execFile|execFileSync)'), { regex: 'shell:\\s*true' }] },
    },
    confirm: (node) =>
      severityOfParts(
        argumentsOf(node)
          .flatMap((one) => (one.kind() === 'array' ? one.children() : [one]))
          .flatMap(dynamicParts),
      ),
  },
  {
    id: 'js-sql-injection',
    hint: sqlHint,
    severity: 'error',
    message: 'a value is written into an SQL statement: pass it as a parameter',
    find: {
      rule: {
        any: [
          { kind: 'template_string', has: { kind: 'template_substitution' } },
          { kind: 'binary_expression', not: { inside: { kind: 'binary_expression' } } },
        ],
      },
    },
    confirm: (node) => !isTagged(node) && sqlValuesIn(piecesOf(node)).length > 0,
  },
  {
    id: 'js-tls-not-verified',
    hint: /rejectUnauthorized|strictSSL|NODE_TLS_REJECT_UNAUTHORIZED/,
    severity: 'error',
    message: 'certificates are not verified: anyone in between can read and change what is sent',
    find: {
      rule: {
        any: [
          { kind: 'pair', regex: '^[\'"]?(rejectUnauthorized|strictSSL)[\'"]?\\s*:\\s*false$' },
          { kind: 'assignment_expression', regex: 'NODE_TLS_REJECT_UNAUTHORIZED[\'"\\]]*\\s*=\\s*[\'"]?0' },
        ],
      },
    },
  },
  {
    id: 'js-weak-hash',
    hint: /createHash/,
    severity: 'warning',
    message: 'MD5 and SHA-1 do not protect secrets: use scrypt or argon2 for passwords, SHA-256 or HMAC otherwise',
    find: {
      rule: { all: [call('(?:\\w+\\.)?createHash'), { regex: 'createHash\\(\\s*[\'"`](md4|md5|sha1|sha-1)[\'"`]' }] },
    },
    confirm: (node) => isSensitive(surroundings(node)),
  },
  {
    id: 'js-weak-cipher',
    hint: /create(Cipher|Decipher)/,
    severity: 'warning',
    message: 'this cipher or mode is broken: use aes-256-gcm with createCipheriv',
    find: {
      rule: {
        any: [
          call('(?:crypto\\.)?create(?:Cipher|Decipher)'),
          {
            all: [
              call('(?:crypto\\.)?create(?:Cipher|Decipher)iv'),
              { regex: '\\(\\s*[\'"`](?i:des|rc2|rc4|bf)|-(?i:ecb)[\'"`]' },
            ],
          },
        ],
      },
    },
  },
  {
    id: 'js-insecure-random',
    hint: /Math\.random/,
    severity: 'warning',
    message: 'Math.random() can be predicted: use crypto.randomBytes or crypto.randomUUID',
    find: { rule: call('Math\\.random') },
    confirm: (node) => isSensitive(nameOfTarget(node)),
  },
  {
    id: 'js-jwt-not-verified',
    hint: /jwt|jsonwebtoken|jose/i,
    severity: 'error',
    message: 'a token signed with `none` is not signed at all',
    find: {
      rule: { kind: 'pair', regex: '^[\'"]?(algorithms?|alg)[\'"]?\\s*:\\s*(\\[[^\\]]*)?[\'"`](?i:none)[\'"`]' },
    },
  },
  {
    id: 'js-open-redirect',
    hint: /\.redirect\(/,
    severity: 'warning',
    message: 'a redirect goes where the request says: allow known targets only',
    find: { rule: call('(?:res|response|reply|ctx|c)\\.redirect') },
    confirm: (node) => argumentsOf(node).some((one) => fromRequest.test(one.text()) && !isText(one)),
  },
  {
    id: 'js-path-traversal',
    hint: /\b(req|request|ctx|event)\./,
    severity: 'error',
    message: 'a path comes from the request: resolve it, and refuse what leads out of its folder',
    find: {
      rule: call(
        '(?:fs\\.|fsp\\.|fs\\.promises\\.)?(?:readFile|readFileSync|createReadStream|writeFile|writeFileSync|unlink|unlinkSync|rm|rmSync)|(?:res|response|reply)\\.(?:sendFile|download)',
      ),
    },
    confirm: (node) => fromRequest.test(argumentsOf(node)[0]?.text() ?? ''),
  },
  {
    id: 'js-html-injection',
    hint: /innerHTML|outerHTML|document\.write/,
    severity: 'warning',
    message: 'interpolated text becomes markup: use textContent, or escape it',
    find: {
      rule: {
        any: [
          { kind: 'assignment_expression', has: { field: 'left', regex: '\\.(innerHTML|outerHTML)$' } },
          { kind: 'augmented_assignment_expression', has: { field: 'left', regex: '\\.(innerHTML|outerHTML)$' } },
          call('document\\.write(?:ln)?'),
        ],
      },
    },
    confirm: (node) =>
      [node.field('right'), ...argumentsOf(node)].some((one) => one && severityOfParts(dynamicParts(one)) !== false),
  },
  {
    id: 'js-unsafe-deserialization',
    hint: /['"]node-serialize['"]/,
    severity: 'error',
    message: 'node-serialize runs code that the text holds: use JSON.parse',
    find: { rule: call('(?:serialize\\.)?unserialize') },
  },
]

/** What a value is called: the variable, property or function that takes it. */
const nameOfTarget = (node: SgNode): string => {
  for (const ancestor of node.ancestors()) {
    const kind = String(ancestor.kind())
    const name =
      ancestor.field('name') ??
      ancestor.field('key') ??
      (kind === 'assignment_expression' ? ancestor.field('left') : null)
    if (name && /declarator|pair|assignment|function|method/.test(kind)) return name.text()
  }
  return ''
}
