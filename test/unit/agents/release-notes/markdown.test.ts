import fc from 'fast-check'
import { marked, type Token } from 'marked'
import { describe, expect, it } from 'vitest'
import { escapeMarkdown, oneLine } from '#agent/agents/release-notes/markdown.ts'

/** An address in plain sight leads where it says. */
const isBareAddress = (token: Token) => token.type === 'link' && token.raw === token.text

/** The kinds of a list item's tokens, however deep, as a renderer of GitHub's Markdown sees them. */
const kindsOf = (text: string): Set<string> => {
  const kinds = new Set<string>()
  const look = (token: Token) => {
    if (!isBareAddress(token)) kinds.add(token.type)
  }
  void marked.walkTokens(marked.lexer(`- ${text} (abc1234)\n`), look)
  return kinds
}
const harmless = new Set(['list', 'list_item', 'text', 'escape', 'codespan', 'space'])
const rendered = (text: string) => marked.parse(`- ${escapeMarkdown(text)}\n`) as string

describe('a subject', () => {
  it.each([
    '<script>alert(1)</script>',
    '<img src=x onerror=alert(1)>',
    '[click](javascript:alert(1))',
    '![spy](https://spy.example.com/a.png)',
    '# heading',
    '- list',
    '1. list',
    '> quote',
    '**bold** *it* __bold__ _it_ ~~gone~~',
    '&lt;script&gt;',
    '<!-- comment',
    '[ref]: https://example.com',
    '| a | b |',
    '```js',
    '`open',
    '\\<b\\>',
    '`a` <b> `c`',
    '``double `tick` ``',
    '\\`<b>\\`',
    '---',
    '===',
    '+ x',
    '[ ] task',
    '[^1] note',
  ])('%j says just that', (text) => {
    for (const kind of kindsOf(escapeMarkdown(text))) expect(harmless).toContain(kind)
  })

  it('says just that whatever it is', () => {
    const hostile = fc
      .array(fc.constantFrom(...'<>[]()!#*_`~\\&-+=.:1a "|{}@^'.split('')), { maxLength: 24 })
      .map((parts) => parts.join(''))
    fc.assert(
      fc.property(hostile, (raw) => {
        const text = oneLine(raw, 300)
        const kinds = [...kindsOf(escapeMarkdown(text))].filter((kind) => !harmless.has(kind))
        expect(kinds).toEqual([])
      }),
      { numRuns: 3000 },
    )
  })

  it('is shown letter for letter', () => {
    expect(rendered('a * b < c & d _e_ [f] snake_case 2.0.0')).toContain(
      'a * b &lt; c &amp; d _e_ [f] snake_case 2.0.0',
    )
    expect(escapeMarkdown('2.0.0 fixes snake_case')).toBe('2.0.0 fixes snake_case')
  })

  it('keeps its code', () => {
    expect(rendered('fix `a<b>` and `c_d`')).toContain('fix <code>a&lt;b&gt;</code> and <code>c_d</code>')
  })
})

it('makes one line without control characters or turned writing', () => {
  expect(oneLine('a\nb\r\n\tc\u0000d\u202Ee  f\u001b[31m', 100)).toBe('a b c d e f')
  expect(oneLine('abcdef', 4)).toBe('abc…')
})
