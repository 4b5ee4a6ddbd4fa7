import { readFileSync } from 'node:fs'

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
