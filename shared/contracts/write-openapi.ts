import { readFileSync, writeFileSync } from 'node:fs'
import { openApiDocument } from './openapi.ts'

const file = new URL('../../docs/openapi.json', import.meta.url)
const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string
}

const text = `${JSON.stringify(openApiDocument(version), null, 2)}\n`

if (!process.argv.includes('--check')) writeFileSync(file, text)
else if (readFileSync(file, 'utf8') !== text) {
  console.error('docs/openapi.json is not what the contracts say; run npm run openapi')
  process.exit(1)
}
