import type { SgNode } from '@ast-grep/napi'
import { isSensitive, type Pattern, severityOfParts, surroundings } from './pattern.ts'
import { expressionsIn, fillFormat, type Piece, sqlHint, sqlValuesIn } from './pieces.ts'

const argumentsOf = (node: SgNode): SgNode[] =>
  node
    .field('arguments')
    ?.children()
    .filter((one) => one.isNamed()) ?? []

const named = (node: SgNode): SgNode[] =>
  node.children().filter((child) => child.isNamed() && child.kind() !== 'comment')

/** Of f-strings, strings side by side, and what `+`, `%` and `.format()` put together. */
const piecesOf = (node: SgNode): Piece[] => {
  const kind = String(node.kind())
  if (kind === 'string') return named(node).flatMap(piecesOfString)
  if (kind === 'concatenated_string' || kind === 'parenthesized_expression') return named(node).flatMap(piecesOf)
  if (kind === 'binary_operator') return piecesOfOperator(node)
  if (kind === 'call') return piecesOfFormat(node)
  return [{ expression: node.text() }]
}

const piecesOfString = (child: SgNode): Piece[] => {
  if (child.kind() === 'string_content') return [{ text: child.text() }]
  if (child.kind() === 'interpolation')
    return [{ text: '' }, { expression: child.field('expression')?.text() ?? child.text().slice(1, -1) }]
  return []
}

const piecesOfOperator = (node: SgNode): Piece[] => {
  const [left, right] = [node.field('left'), node.field('right')]
  const operator = node.field('operator')?.text()
  if (!left || !right || (operator !== '+' && operator !== '%')) return [{ expression: node.text() }]
  if (operator === '+') return [...piecesOf(left), ...piecesOf(right)]
  const format = writtenIn(piecesOf(left))
  const values = right.kind() === 'tuple' ? named(right) : [right]
  if (format === undefined) return [{ expression: node.text() }]
  return fillFormat(
    format,
    /%(\(\w+\))?[sdirf]/g,
    values.map((one) => one.text()),
  )
}

const piecesOfFormat = (node: SgNode): Piece[] => {
  const method = node.field('function')
  const [object, attribute] = [method?.field('object'), method?.field('attribute')]
  const format = object && attribute?.text() === 'format' ? writtenIn(piecesOf(object)) : undefined
  if (format === undefined) return [{ expression: node.text() }]
  return fillFormat(
    format,
    /\{[^{}]*\}/g,
    argumentsOf(node).map((one) => one.field('value')?.text() ?? one.text()),
  )
}

/** A text without expressions. */
const writtenIn = (pieces: Piece[]): string | undefined => {
  const texts = pieces.flatMap((piece) => ('text' in piece ? [piece.text] : []))
  return texts.length > 0 && texts.length === pieces.length ? texts.join('') : undefined
}

const dynamicParts = (node: SgNode): string[] => expressionsIn(piecesOf(node))

/** The outermost text alone is judged, not its parts again. */
const isPart = (node: SgNode): boolean => {
  const parent = node.parent()
  const kind = String(parent?.kind())
  if (kind === 'binary_operator' || kind === 'concatenated_string') return true
  return parent !== null && (kind === 'parenthesized_expression' || kind === 'attribute') && isPart(parent)
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
          { kind: 'concatenated_string' },
          { kind: 'binary_operator' },
          { kind: 'call', has: { field: 'function', regex: '\\.format$' } },
        ],
      },
    },
    confirm: (node) => !isPart(node) && sqlValuesIn(piecesOf(node)).length > 0,
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
    confirm: (node) => isSensitive(node.field('left')?.text() ?? ''),
  },
]
