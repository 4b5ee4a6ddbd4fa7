import { readFileSync, writeFileSync } from 'node:fs'
import { stringify } from 'yaml'
import { asyncApiDocument } from './asyncapi.ts'

const file = new URL('../../docs/asyncapi.yaml', import.meta.url)
const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string
}

const text = stringify(asyncApiDocument(version), { aliasDuplicateObjects: false, lineWidth: 120 })

if (!process.argv.includes('--check')) writeFileSync(file, text)
else if (readFileSync(file, 'utf8') !== text) {
  console.error('docs/asyncapi.yaml is not what the contracts say; run npm run asyncapi')
  process.exit(1)
}
