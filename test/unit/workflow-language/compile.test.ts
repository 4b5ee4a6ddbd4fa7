import { readdirSync, readFileSync } from 'node:fs'
import validateAsl from 'asl-validator'
import { expect, it } from 'vitest'
import { compile } from '#shared/workflow-language/compile/compile.ts'
import { validate } from '#shared/workflow-language/validate/validate.ts'

const folder = new URL('../../fixtures/workflows/', import.meta.url)
const files = readdirSync(folder).filter((file) => file.endsWith('.yaml'))
const read = (file: string) => validate(readFileSync(new URL(file, folder), 'utf8'))

it.each(files)('%s is valid, and compiles to the machine beside it', async (file) => {
  const { definition, problems } = read(file)
  expect(problems).toEqual([])
  if (definition === undefined) throw new Error('it has no definition')
  const text = `${JSON.stringify(compile(definition), null, 2)}\n`
  await expect(text).toMatchFileSnapshot(new URL(file.replace('.yaml', '.asl.json'), folder).pathname)
})

it.each(files)('%s compiles to what the validator of ASL takes', (file) => {
  const { definition } = read(file)
  if (definition === undefined) throw new Error('it has no definition')
  for (const machine of Object.values(compile(definition)))
    expect(validateAsl(machine)).toMatchObject({ isValid: true, errors: [] })
})

it('names of states are as short as Step Functions wants them, however long those of steps are', () => {
  const [race, branch, step] = ['r', 'b', 's'].map((letter) => letter.repeat(60)) as [string, string, string]
  const contest = { name: race, kind: 'race', branches: { [branch]: [{ name: step, kind: 'set', value: 1 }] } }
  const { definition } = validate({
    value: { workflow: 'long', steps: [{ ...contest, retry: {}, catch: [{ steps: [] }] }] },
  })
  if (definition === undefined) throw new Error('it has no definition')
  const names = [...JSON.stringify(compile(definition)).matchAll(/"(?:StartAt|Next|Default)":"([^"]*)"/g)]
  expect(names.length).toBeGreaterThan(5)
  expect(names.filter(([, name = '']) => name.length > 80)).toEqual([])
})

const loop = (more = '', inside = ''): string =>
  `{ name: r, kind: repeat, until: '{% $a.ok %}', atMost: 50000, ${more} steps: [{ name: a, kind: task, agent: x }${inside}] }`
const compiled = (...steps: string[]) => {
  const { definition } = validate(`workflow: w\nsteps:\n${steps.map((step) => `  - ${step}\n`).join('')}`)
  if (definition === undefined) throw new Error('it has no definition')
  return compile(definition).run
}
const inCases = (steps: string): string =>
  `{ name: c, kind: choice, cases: [{ when: '{% $input %}', steps: [${steps}] }], otherwise: [{ name: f, kind: fail, error: NO }] }`
const endings = [
  { what: 'a loop', steps: [loop()] },
  { what: 'a loop that fails at its limit', steps: [loop('onLimit: fail,')] },
  { what: 'a failure', steps: [loop(), '{ name: f, kind: fail, error: NO }'] },
  { what: 'a choice', steps: [inCases(loop())] },
  {
    what: 'a step whose failure is caught by a loop',
    steps: [`{ name: t, kind: task, agent: x, catch: [{ steps: [${loop()}] }, ] }`],
  },
  {
    what: 'a block',
    steps: [loop(), '{ name: p, kind: parallel, branches: { b: [{ name: s, kind: set, value: 1 }] } }'],
  },
]

it.each(endings)('a machine whose loops go on in further executions is valid when $what is the last', ({ steps }) => {
  const machine = compiled(...steps)
  expect(machine.StartAt).toBe('run: begin')
  expect(validateAsl(machine)).toMatchObject({ isValid: true, errors: [] })
  const text = JSON.stringify(machine)
  const unreached = Object.keys(machine.States).filter(
    (name) => !new RegExp(`"(Next|Default|StartAt)":${JSON.stringify(name).replaceAll(/[$.]/g, '.')}`).test(text),
  )
  expect(unreached).toEqual([])
})

it('a step has none of the names that a machine has for itself', () => {
  const machine = compiled(
    '{ name: workflow, kind: race, branches: { a: [{ name: b, kind: set, value: 1 }] } }',
    loop(),
  )
  expect(machine.States[machine.StartAt]).toMatchObject({ Type: 'Choice', Default: 'workflow: begin' })
})

it('a loop goes on in further executions where its rounds may have more events than one, and in the flow alone', () => {
  const isLong = (...steps: string[]): boolean => compiled(...steps).StartAt === 'run: begin'
  const short = loop().replace('50000', '1000')
  expect(isLong(short)).toBe(false)
  expect(isLong(short, short.replaceAll(/\b([ra])\b(?=[,.])/g, '$1$1'), '{ name: b, kind: task, agent: x }')).toBe(
    false,
  )
  const tried = '{ name: t, kind: task, agent: x, retry: { attempts: 5 } }'
  expect(isLong(loop('', `, ${tried}`).replace('50000', '1000'))).toBe(true)
  const listed = `{ name: m, kind: map, items: '{% $input %}', steps: [{ name: s, kind: set, value: 1 }] }`
  expect(isLong(loop('', `, ${listed}`).replace('50000', '5'))).toBe(true)
  expect(isLong(`{ name: p, kind: parallel, branches: { b: [${loop()}] } }`)).toBe(false)
  expect(isLong(loop('timeout: 1h,'))).toBe(false)
})

it('what many steps undo takes no longer to compile than as many more steps', () => {
  const aTask = (name: string) => ({ name, kind: 'task', agent: 'a' })
  const timeOf = (steps: object[]): number => {
    const { definition } = validate({ value: { workflow: 'w', steps } })
    if (definition === undefined) throw new Error('it has no definition')
    const began = performance.now()
    compile(definition)
    return performance.now() - began
  }
  const at = Array.from({ length: 400 }, (_, n) => n)
  timeOf(at.map((n) => aTask(`a${n}`)))
  const plain = timeOf(at.flatMap((n) => [aTask(`a${n}`), aTask(`u${n}`)]))
  const undone = timeOf(at.map((n) => ({ ...aTask(`a${n}`), compensate: [aTask(`u${n}`)] })))
  expect(undone).toBeLessThan(plain * 20 + 400)
})
