import { isUtf8 } from 'node:buffer'

type Row = [reason: string, pattern: RegExp]

const names: Row[] = [
  [
    'vendored',
    /(^|\/)(node_modules|bower_components|jspm_packages|vendor|vendored|third[_-]party|site-packages|flow-typed|Pods|\.yarn|\.venv)\//,
  ],
  ['generated', /(^|\/)(dist|coverage|__pycache__|\.next|\.nuxt|cdk\.out|__snapshots__)\//],
  ['minified', /[.-](min|bundle|prod)\.(m|c)?(js|css)$/],
  ['generated', /\.(map|snap|pb\.go|pb\.cc|pb\.h|g\.dart|designer\.cs)$|_pb2(_grpc)?\.pyi?$|_pb\.(js|d\.ts)$/],
  ['generated', /\.(generated|gen)\.[a-z]+$|(^|\/)zz_generated[^/]*\.go$/],
]

/** Why a file of this name is not looked at. */
export const skippedByName = (file: string): string | undefined => names.find(([, pattern]) => pattern.test(file))?.[0]

/** What generators write into the first lines. https://go.dev/s/generatedcode */
const generatedMark =
  /Code generated .* DO NOT EDIT|@generated\b|auto-?generated (file|by)|\bdo not edit (manually|by hand)/i

const longLine = 5000

/** A library's banner, in a folder of what browsers fetch. */
const library = { banner: /^\s*\/\*!|@license\b/, path: /(^|\/)(static|public|assets|www|wwwroot)\/.*\.(js|css)$/ }

/** Why a file with this content is not looked at. */
export const skippedByContent = (file: string, content: Buffer): string | undefined => {
  if (isBinary(content)) return 'binary'
  const head = content.toString('utf8', 0, 600)
  if (generatedMark.test(head)) return 'generated'
  if (library.path.test(file) && library.banner.test(head)) return 'vendored'
  return isMinified(content) ? 'minified' : undefined
}

/** Text in an older encoding has few bytes that are not ASCII. */
const isBinary = (content: Buffer): boolean => {
  if (content.includes(0)) return true
  if (isUtf8(content)) return false
  const high = content.reduce((count, byte) => (byte > 127 ? count + 1 : count), 0)
  return high > content.length / 10
}

/** A line of code longer than anyone writes. */
const isMinified = (content: Buffer): boolean => {
  for (let start = 0; content.length - start > longLine; ) {
    const end = content.indexOf(10, start)
    if (end === -1 || end - start > longLine) return true
    start = end + 1
  }
  return false
}
