import type { SgNode } from '@ast-grep/napi'
import { isHarmless, isSensitive, type Pattern, severityOfParts, surroundings } from './pattern.ts'
import { endsAtValue, formatsValue, isFragment, isSql, sqlHint } from './sql.ts'

const argumentsOf = (node: SgNode): SgNode[] =>
  node
    .field('arguments')
    ?.children()
    .filter((one) => one.isNamed()) ?? []

/** Expressions that an f-string, `%`, `+` or `.format()` puts into a text. */
const dynamicParts = (node: SgNode): string[] => {
  const kind = node.kind()
  if (kind === 'string') return interpolations(node).filter((part) => !isHarmless(part))
  if (kind === 'concatenated_string') return node.children().flatMap(dynamicParts)
  if (kind === 'binary_operator') return partsOfOperator(node)
  if (kind === 'call' && isFormat(node))
    return argumentsOf(node)
      .map((one) => one.text())
      .filter((part) => !isHarmless(part))
  return []
}

const interpolations = (node: SgNode): string[] =>
  node
    .children()
    .filter((child) => child.kind() === 'interpolation')
    .map((child) => child.field('expression')?.text() ?? child.text().slice(1, -1))

const partsOfOperator = (node: SgNode): string[] => {
  const [left, right] = [node.field('left'), node.field('right')]
  if (!left || !right || !hasText(node)) return []
  return [left, right].flatMap((side) => {
    if (side.kind() === 'string' || side.kind() === 'binary_operator') return dynamicParts(side)
    return isHarmless(side.text()) ? [] : [side.text()]
  })
}

const hasText = (node: SgNode): boolean =>
  node.kind() === 'string' ||
  (node.kind() === 'binary_operator' &&
    [node.field('left'), node.field('right')].some((side) => side !== null && hasText(side)))

const isFormat = (node: SgNode) => /^[rRbBuU]?(['"]).*\.format$/s.test(node.field('function')?.text() ?? '')

const contentOf = (node: SgNode): string =>
  node
    .text()
    .replace(/^[a-zA-Z]*('''|"""|'|")/, '')
    .replace(/('''|"""|'|")$/, '')

/** Whether a value is written into a statement where a parameter belongs. */
const writesSqlValue = (node: SgNode): boolean => {
  if (node.kind() === 'string') return fStringWritesValue(node)
  if (node.kind() === 'call')
    return (
      isFormat(node) &&
      formatsValue(
        node
          .field('function')
          ?.field('object')
          ?.text()
          .replace(/^\w*['"]+/, '') ?? '',
        /\{[^}]*\}/g,
      )
    )
  if (node.kind() !== 'binary_operator') return false
  const [left, right] = [node.field('left'), node.field('right')]
  if (left?.kind() === 'binary_operator') return writesSqlValue(left)
  if (left?.kind() !== 'string' || !right) return false
  const begin = contentOf(left)
  if (node.field('operator')?.text() === '%') return formatsValue(begin, /%(\(\w+\))?[sdi]/g)
  return isSql(begin) && endsAtValue(begin) && !isHarmless(right.text())
}

const fStringWritesValue = (node: SgNode): boolean => {
  let begin = ''
  for (const child of node.children()) {
    if (child.kind() === 'interpolation') {
      const value = child.text().slice(1, -1)
      if (isSql(begin) && endsAtValue(begin) && !isHarmless(value) && !isFragment(value)) return true
      begin += '?'
    } else if (child.kind() === 'string_content') begin += child.text()
  }
  return false
}

const call = (name: string) => ({ kind: 'call', has: { field: 'function', regex: `^(?:${name})$` } })

/** For Python; what is insecure whatever its input is told by ruff. */
export const pythonPatterns: Pattern[] = [
  {
    id: 'py-eval',
    hint: /\b(eval|exec)\(/,
    severity: 'warning',
    message: 'code is made from a text at run time: whoever controls the text runs code; ast.literal_eval reads values',
    find: { rule: call('eval|exec') },
    confirm: (node) => {
      const [source] = argumentsOf(node)
      if (!source || (source.kind() === 'string' && dynamicParts(source).length === 0)) return false
      return !/^compile\(/.test(source.text()) && severityOfParts([source.text()])
    },
  },
  {
    id: 'py-command-injection',
    hint: /os\.(system|popen)|getoutput|getstatusoutput|create_subprocess_shell|shell\s*=\s*True/,
    severity: 'warning',
    message: 'a shell command is put together from parts: pass a list of arguments, without a shell',
    find: {
      rule: {
        any: [
          call(
            'os\\.system|os\\.popen|subprocess\\.getoutput|subprocess\\.getstatusoutput|asyncio\\.create_subprocess_shell|commands\\.getoutput',
          ),
          {
            all: [
              call('(?:subprocess\\.)?(?:run|call|check_call|check_output|Popen)'),
              { regex: 'shell\\s*=\\s*True' },
            ],
          },
        ],
      },
    },
    confirm: (node) => severityOfParts(argumentsOf(node).slice(0, 1).flatMap(dynamicParts)),
  },
  {
    id: 'py-sql-injection',
    hint: sqlHint,
    severity: 'error',
    message: 'a value is written into an SQL statement: pass it as a parameter',
    find: {
      rule: {
        any: [
          { kind: 'string', has: { kind: 'interpolation' } },
          { kind: 'binary_operator', not: { inside: { kind: 'binary_operator' } } },
          { kind: 'call', has: { field: 'function', regex: '\\.format$' } },
        ],
      },
    },
    confirm: writesSqlValue,
  },
  {
    id: 'py-weak-hash',
    hint: /\b(md5|sha1)\(/,
    severity: 'warning',
    message: 'MD5 and SHA-1 do not protect secrets: use scrypt or argon2 for passwords, SHA-256 or HMAC otherwise',
    find: { rule: call('(?:hashlib\\.)?(?:md5|sha1)') },
    confirm: (node) => !/usedforsecurity\s*=\s*False/.test(node.text()) && isSensitive(surroundings(node)),
  },
  {
    id: 'py-insecure-random',
    hint: /\brandom\./,
    severity: 'warning',
    message: 'the random module can be predicted: use secrets',
    find: {
      rule: {
        kind: 'assignment',
        has: { field: 'right', regex: '\\brandom\\.(random|randint|choice|choices|randrange|getrandbits|sample)\\(' },
      },
    },
    confirm: (node) =>
      isSensitive(node.field('left')?.text() ?? '') && !/SystemRandom/.test(node.getRoot().root().text()),
  },
]
