import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseSettings } from '#shared/platform/aws/settings.ts'
import { type Json, type Synthesized, synthesize } from '../synthesize.ts'

const mostBytes = 3.25 * 1024 * 1024
/** Characters of what a deploy fills in: an ARN or an address. */
const longest = 150

/** What CloudFormation would put where a template only refers to something. */
const filledIn = (variables: Record<string, Json>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(variables).map(([name, value]) => [
      name,
      typeof value === 'string' ? value : name === 'GENERATION' ? '1' : `the-${name.toLowerCase()}`,
    ]),
  )

export const functionsSuite = (dev: Synthesized) =>
  describe('functions', () => {
    const functions = dev.resources('AWS::Lambda::Function')
    const bundles = functions.map(({ id, properties }) => ({
      id,
      file: join(dev.folder, `asset.${properties.Code.S3Key.replace('.zip', '')}`, 'index.mjs'),
    }))

    it('are the six edges', () => {
      const folders = readdirSync(new URL('../../../functions/', import.meta.url))
      expect(functions.map(({ properties }) => properties.FunctionName).sort()).toEqual(
        folders.map((folder) => `devcycle-dev-${folder}`).sort(),
      )
    })

    it('run on arm64 and Node 24, traced', () => {
      for (const { properties } of functions)
        expect(properties).toMatchObject({
          Architectures: ['arm64'],
          Runtime: 'nodejs24.x',
          TracingConfig: { Mode: 'Active' },
          Handler: 'index.handler',
        })
    })

    it('answer before API Gateway stops waiting', () => {
      const api = functions.find(({ properties }) => properties.FunctionName === 'devcycle-dev-api')
      expect(api?.properties.Timeout).toBeLessThanOrEqual(29)
    })

    it('have log groups that forget', () => {
      const groups = dev.resources('AWS::Logs::LogGroup')
      const names = functions.map(({ properties }) => properties.LoggingConfig.LogGroup.Ref)
      expect(new Set(names).size).toBe(functions.length)
      expect(groups.map(({ id }) => id)).toEqual(expect.arrayContaining(names))
      for (const { properties } of groups) expect(properties.RetentionInDays).toBe(7)
    })

    it('are told everything that their settings ask for', () => {
      for (const { properties } of functions) {
        const settings = parseSettings(filledIn(properties.Environment.Variables))
        expect(settings.SERVICE_NAME).toBe(properties.FunctionName)
        expect(settings.HOSTED_AGENTS).toContainEqual({
          agent: 'code-reviewer',
          service: 'devcycle-dev/devcycle-dev-code-reviewer',
          slots: 2,
          max: 2,
        })
      }
    })

    it('have variables that Lambda takes, also where names and accounts are long', () => {
      for (const { properties } of synthesize({ stage: 'staging' }).resources('AWS::Lambda::Function')) {
        const texts = Object.entries<Json>(properties.Environment.Variables)
        const lengths = texts.map(([name, value]) => name.length + (typeof value === 'string' ? value.length : longest))
        expect(lengths.reduce((sum, length) => sum + length)).toBeLessThan(4096)
      }
    })

    it.each(bundles)('are small and hold all they import: $id', ({ file }) => {
      expect(statSync(file).size).toBeLessThan(mostBytes)
      const code = readFileSync(file, 'utf8')
      const imported = [...code.matchAll(/^import[^'"]*["']([^'"]+)["']/gm)].map(([, name = '']) => name)
      expect(imported.filter((name) => !builtinModules.includes(name.replace('node:', '')))).toEqual([])
    })

    it('start where there is nothing but Node', () => {
      const script = `for (const file of ${JSON.stringify(bundles.map(({ file }) => file))}) {
        const { handler } = await import(file)
        if (typeof handler !== 'function') throw new Error(file + ' has no handler')
      }`
      const variables = filledIn(functions[0]?.properties.Environment.Variables)
      const { stderr, status } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
        cwd: dev.folder,
        env: { ...variables, AWS_REGION: 'eu-central-1', AWS_LAMBDA_FUNCTION_NAME: 'test' },
        encoding: 'utf8',
      })
      expect({ stderr, status }).toEqual({ stderr: '', status: 0 })
    }, 60_000)
  })
