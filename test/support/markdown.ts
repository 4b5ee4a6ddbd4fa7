import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { marked, type Token } from 'marked'

export type Block = { kind: 'file' | 'run'; name: string; text: string }

/** The blocks of a page that a comment before them marks: `<!-- file: NAME -->`, `<!-- run: NAME -->`. */
export const markedBlocks = (page: string): Block[] => {
  const text = readFileSync(new URL(`../../docs/${page}`, import.meta.url), 'utf8')
  const pattern = /<!-- (file|run): ([\w.-]+) -->\n```\w+\n([\s\S]*?)```/g
  return [...text.matchAll(pattern)].map(([, kind, name = '', body = '']) => ({
    kind: kind as Block['kind'],
    name,
    text: body,
  }))
}

/** The one block of a page with this name. */
export const blockOf = (page: string, name: string): string => {
  const found = markedBlocks(page).filter((block) => block.name === name)
  if (found.length !== 1) throw new Error(`docs/${page} has ${found.length} blocks named ${name}`)
  return found[0]?.text ?? ''
}

const root = fileURLToPath(new URL('../../', import.meta.url))

/** Every page for readers, as a path from the root of the repository. */
export const allPages = (): string[] => [
  ...['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md'],
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`)
    .sort(),
]

const tokensOf = (page: string): Token[] => {
  const tokens: Token[] = []
  void marked.walkTokens(marked.lexer(readFileSync(join(root, page), 'utf8')), (token) => {
    tokens.push(token)
  })
  return tokens
}

const textOf = (token: Token): string => ('text' in token ? String(token.text) : '')

/** Headings as GitHub names them in addresses. */
const anchorsOf = (page: string): Set<string> => {
  const anchors = new Set<string>()
  for (const token of tokensOf(page).filter(({ type }) => type === 'heading')) {
    const slug = textOf(token)
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-')
    let anchor = slug
    for (let more = 1; anchors.has(anchor); more++) anchor = `${slug}-${more}`
    anchors.add(anchor)
  }
  return anchors
}

/** Links of a page to files or headings of this repository that are not there. */
export const brokenLinks = (page: string): string[] =>
  tokensOf(page)
    .flatMap((token) => (token.type === 'link' || token.type === 'image' ? [String(token.href)] : []))
    .filter((href) => !/^[a-z]+:/i.test(href))
    .filter((href) => {
      const [path = '', anchor] = href.split('#')
      const target = path === '' ? page : join(dirname(page), path)
      return !existsSync(join(root, target)) || (anchor !== undefined && !anchorsOf(target).has(anchor))
    })

const word = /'[^']*'|"[^"]*"|[^\s'"|;&()<>#]+/y

/** The words of a command line up to its end, a pipe, or a comment. */
const wordsAt = (line: string, start: number): string[] => {
  const words: string[] = []
  for (let at = start; ; ) {
    word.lastIndex = at + (/^[ ]*/.exec(line.slice(at))?.[0].length ?? 0)
    const [found] = word.exec(line) ?? []
    if (found === undefined) return words
    words.push(found.replaceAll(/^['"]|['"]$/g, ''))
    at = word.lastIndex
  }
}

/** Arguments of each `npx devcycle …` and `npm start -- …` in the shell blocks and the code spans of a page. */
export const commandsOf = (page: string): string[][] =>
  tokensOf(page)
    .filter((token) => token.type === 'codespan' || (token.type === 'code' && token.lang === 'sh'))
    .flatMap((token) =>
      textOf(token)
        .replaceAll('\\\n', ' ')
        .replaceAll(/ \d>(&\d| *\/dev\/null)/g, '')
        .split('\n'),
    )
    .flatMap((line) =>
      [...line.matchAll(/npx devcycle(?= )|npm (start) --(?= )/g)].map(({ 0: { length }, 1: start, index }) => [
        ...(start ? [start] : []),
        ...wordsAt(line, index + length),
      ]),
    )
