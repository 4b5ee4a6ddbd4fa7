import { readFileSync } from 'node:fs'
import path from 'node:path'
import { default as Ajv } from 'ajv-draft-04'
import { default as formats } from 'ajv-formats'

const schemaFile = path.join(import.meta.dirname, '../../../fixtures/sarif/sarif-2.1.0-rtm.5.json')

/** What is wrong with a report by the JSON schema of SARIF 2.1.0. */
export const sarifErrors = (sarif: unknown): unknown[] => {
  const ajv = new Ajv.default({ strict: false, allErrors: true, unicodeRegExp: false })
  formats.default(ajv)
  const validate = ajv.compile(JSON.parse(readFileSync(schemaFile, 'utf8')))
  return validate(sarif) ? [] : (validate.errors ?? [])
}
