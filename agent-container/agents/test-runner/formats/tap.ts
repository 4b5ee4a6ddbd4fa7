import { dedent, type Report, type TestFailure, type TextFormat } from './report.ts'
import { placeOfStack } from './stack-frames.ts'

const result = /^( *)(not )?ok\b *\d* *(?:- )?(.*?)(?: # (SKIP|TODO)\b.*)?$/i
const subtest = /^( *)# Subtest: (.+)$/
/** One `ok` or `not ok`, the lines of its YAML block, and how deep it stands. */
type Point = { depth: number; ok: boolean; name: string; directive: boolean; yaml: string[] }

const pointsOf = (text: string): Point[] => {
  const points: Point[] = []
  const path: { depth: number; name: string }[] = []
  let yaml: string[] | undefined
  for (const line of text.split('\n')) {
    if (/^ *---$/.test(line)) yaml = points.at(-1)?.yaml
    else if (/^ *\.\.\.$/.test(line)) yaml = undefined
    else if (yaml) yaml.push(line)
    else readLine(line, points, path)
  }
  return points
}

const readLine = (line: string, points: Point[], path: { depth: number; name: string }[]) => {
  const [, subtestIndent, opened] = subtest.exec(line) ?? []
  const [, indent, not, name = '', directive] = result.exec(line) ?? []
  const depth = (subtestIndent ?? indent)?.length
  if (depth === undefined) return
  while ((path.at(-1)?.depth ?? -1) >= depth) path.pop()
  if (opened !== undefined) return void path.push({ depth, name: opened })
  const full = [...path.map((above) => above.name), name].join(' > ')
  points.push({ depth, ok: !not, name: full, directive: directive !== undefined, yaml: [] })
}

const scalar = (yaml: string[], key: string): string | undefined => {
  const indent = /^ */.exec(yaml[0] ?? '')?.[0] ?? ''
  const at = yaml.findIndex((line) => line.startsWith(`${indent}${key}: `))
  if (at < 0) return undefined
  const value = yaml[at]?.slice(`${indent}${key}: `.length) ?? ''
  if (!/^[|>][-+]?$/.test(value)) return value.replace(/^(['"])(.*)\1$/, '$2')
  const rest = yaml.slice(at + 1)
  const end = rest.findIndex((line) => line.trim() !== '' && !line.startsWith(`${indent} `))
  return dedent(end < 0 ? rest : rest.slice(0, end))
}

const placeOf = (yaml: string[]) => {
  const place = placeOfStack(scalar(yaml, 'stack') ?? '') ?? placeOfStack(scalar(yaml, 'at') ?? '')
  const [, file, line] = /^(.+):(\d+):\d+$/.exec(scalar(yaml, 'location') ?? '') ?? []
  return place ?? (file === undefined ? {} : { file, line: Number(line) })
}

const failureOf = ({ name, yaml }: Point): TestFailure => ({
  name,
  message: scalar(yaml, 'error') || scalar(yaml, 'message') || dedent(yaml),
  ...placeOf(yaml),
})

/** A point after deeper ones sums them up; it counts only when it failed and none of them did. */
const leavesOf = (points: Point[]): Point[] =>
  points.filter((point, at) => {
    const children: Point[] = []
    for (let above = at - 1; above >= 0 && (points[above]?.depth ?? 0) > point.depth; above--)
      children.push(points[above] as Point)
    return children.length === 0 || (!point.ok && children.every((child) => child.ok))
  })

/** TAP 13 and 14. https://testanything.org/tap-version-14-specification.html */
export const parseTap: TextFormat = (text): Report | undefined => {
  if (!/^TAP version 1[34]$/m.test(text)) return undefined
  const points = leavesOf(pointsOf(text))
  const skipped = points.filter((point) => point.directive).length
  const failures = points.filter((point) => !point.ok && !point.directive).map(failureOf)
  return { passed: points.length - skipped - failures.length, failed: failures.length, skipped, failures }
}
