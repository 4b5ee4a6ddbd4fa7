import { PositionEncoding, Workspace } from '@astral-sh/ruff-wasm-nodejs'
import { describe, expect, it } from 'vitest'
import { python } from '#agent/agents/code-reviewer/analyzers/python.ts'
import { pythonRules } from '#agent/agents/code-reviewer/analyzers/python-rules.ts'
import { inShort, runAnalyzer } from './run-analyzer.ts'

describe('the Python analyzer', () => {
  it('asks for rules that ruff has', () => {
    const known = (code: string) => {
      try {
        new Workspace({ lint: { select: [code] } }, PositionEncoding.Utf16).free()
        return true
      } catch {
        return false
      }
    }
    expect(known('NOPE999')).toBe(false)
    expect(Object.keys(pythonRules).filter((code) => !known(code))).toEqual([])
  })

  it('tells mistakes by how serious they are', async () => {
    const ran = await runAnalyzer(python, {
      'a.py': [
        'import os',
        'import requests, yaml',
        'def f(items=[]):',
        '    print(missing)',
        '    try:',
        '        return "%s %s" % (1,)',
        '    except:',
        '        pass',
        'requests.get("https://example.com", verify=False)',
        'yaml.load(open("x"))',
      ].join('\n'),
    })
    expect(inShort(ran)).toEqual([
      'error ruff/F507 a.py:6',
      'error ruff/F821 a.py:4',
      'error ruff/S501 a.py:9',
      'error ruff/S506 a.py:10',
      'info ruff/F401 a.py:1',
      'warning ruff/B006 a.py:3',
      'warning ruff/E722 a.py:7',
    ])
    expect(ran.remarks.find(({ rule }) => rule === 'ruff/F821')).toMatchObject({ column: 11 })
  })

  it('takes tests less seriously', async () => {
    const code = 'import pickle\npickle.loads(1)\nprint(missing)\n'
    const ran = await runAnalyzer(python, { 'tests/test_a.py': code })
    expect(inShort(ran)).toEqual(['warning ruff/F821 tests/test_a.py:3'])
  })

  it('knows that packages and compatibility modules import for others', async () => {
    const code = 'import os\nfrom a import b\n'
    const ran = await runAnalyzer(python, {
      'p/__init__.py': code,
      'p/compat.py': code,
      'p/_compat.py': code,
      'p/a.py': code,
    })
    expect(inShort(ran)).toEqual(['info ruff/F401 p/a.py:1', 'info ruff/F401 p/a.py:2'])
  })

  it('says nothing of style, of new syntax and of what an author allowed', async () => {
    const { remarks } = await runAnalyzer(python, {
      'a.py': [
        'import os  # noqa: F401',
        'def f[T](x: T) -> T:',
        '    match x:',
        "        case 1: return f'{x!r:>{10}} {'nested'}'",
        '    assert x == True; y=1; return y',
        'type A = int',
        'm = hashlib = None',
      ].join('\n'),
    })
    expect(remarks).toEqual([])
  })

  it('tells a file that cannot be parsed once', async () => {
    const ran = await runAnalyzer(python, { 'a.py': 'def f(:\n  pass\nprint "x"\n' })
    expect(inShort(ran)).toEqual(['error ruff/invalid-syntax a.py:1'])
  })

  it('reads no configuration of the repository', async () => {
    const settings = '[tool.ruff.lint]\nselect = ["D"]\nignore = ["F"]\n'
    const ran = await runAnalyzer(python, {
      'pyproject.toml': settings,
      'ruff.toml': 'exclude = ["*"]',
      'a.py': 'import os\n',
    })
    expect(inShort(ran)).toEqual(['info ruff/F401 a.py:1'])
  })
})
