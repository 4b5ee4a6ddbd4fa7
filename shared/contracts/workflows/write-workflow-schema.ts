import { readFileSync, writeFileSync } from 'node:fs'
import * as z from 'zod'
import { definitionSchema } from './definition.ts'

const file = new URL('../../../docs/workflow.schema.json', import.meta.url)
const schema = { title: 'DevCycle workflow', ...z.toJSONSchema(definitionSchema, { io: 'input' }) }
const text = `${JSON.stringify(schema, null, 2)}\n`

if (!process.argv.includes('--check')) writeFileSync(file, text)
else if (readFileSync(file, 'utf8') !== text) {
  console.error('docs/workflow.schema.json is not what the contracts say; run npm run workflow-schema')
  process.exit(1)
}
