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
