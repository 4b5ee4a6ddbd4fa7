type Row = [reason: string, pattern: RegExp]

const names: Row[] = [
  [
    'vendored',
    /(^|\/)(node_modules|bower_components|jspm_packages|vendor|vendored|third[_-]party|site-packages|Pods|\.yarn|\.venv)\//,
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

const headBytes = 8192
const longLine = 5000

/** Why a file with this content is not looked at. */
export const generatedBy = (content: Buffer): string | undefined => {
  if (content.subarray(0, headBytes).includes(0)) return 'binary'
  if (generatedMark.test(content.toString('utf8', 0, 600))) return 'generated'
  return isMinified(content) ? 'minified' : undefined
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
