import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { undoNameOf } from '#shared/domain/workflows/workflow.ts'
import { machineName } from '#shared/platform/aws/state-machine-names.ts'
import { compileWorkflow } from '#shared/workflow-language/compile/compile-workflow.ts'
import { validate } from '#shared/workflow-language/validate/validate.ts'
import { changed, flat, type Json, type Synthesized } from '../synthesize.ts'

const folder = new URL('../../../workflows/', import.meta.url)
const shipped = readdirSync(folder).map((file) => {
  const source = readFileSync(new URL(file, folder), 'utf8')
  const { definition } = validate(source)
  if (definition === undefined) throw new Error(`${file} is not valid`)
  const { run, undo } = compileWorkflow(definition).machines
  const machines = {
    [definition.workflow]: run,
    ...(undo !== undefined && { [undoNameOf(definition.workflow)]: undo }),
  }
  return { name: definition.workflow, source, machines }
})
const machines = shipped.flatMap((one) => Object.entries<Json>(one.machines))

export const workflowsSuite = (dev: Synthesized) =>
  describe('the workflows that ship', () => {
    const nameOf = (workflow: string) => machineName('devcycle-dev', { tenant: 'default', workflow })
    const found = dev.resources('AWS::StepFunctions::StateMachine')
    const versions = dev.resources('AWS::StepFunctions::StateMachineVersion')
    const aliases = dev.resources('AWS::StepFunctions::StateMachineAlias')
    const machineOf = (workflow: string) =>
      found.find(({ properties }) => properties.StateMachineName === nameOf(workflow))

    it('are state machines of the names that runs are started by, and of the role of workflows', () => {
      expect(found.map(({ properties }) => properties.StateMachineName).sort()).toEqual(
        machines.map(([workflow]) => nameOf(workflow)).sort(),
      )
      for (const { properties } of found) {
        expect(properties.StateMachineType).toBe('STANDARD')
        expect(flat(properties.RoleArn)).toMatch(/WorkflowRole\w+Arn/)
      }
    })

    it.each(machines)('have the definition that the platform would deploy: %s', (workflow, machine) => {
      const { DefinitionString, DefinitionSubstitutions, Tags } = machineOf(workflow)?.properties ?? {}
      expect(JSON.parse(DefinitionString)).toEqual(machine)
      expect(Object.keys(DefinitionSubstitutions).sort()).toEqual(['StepsQueueUrl', 'Tenant'])
      expect(DefinitionSubstitutions.Tenant).toBe('default')
      expect(flat(DefinitionSubstitutions.StepsQueueUrl)).toContain('StepsQueue')
      const places = new Set([...DefinitionString.matchAll(/\$\{([^}]*)\}/g)].map(([, name]) => name))
      expect([...places].sort()).toEqual(['StepsQueueUrl', 'Tenant'])
      expect(Tags).toEqual(
        expect.arrayContaining([
          { Key: 'devcycle:tenant', Value: 'default' },
          { Key: 'devcycle:workflow', Value: workflow },
        ]),
      )
    })

    it.each(machines)('are published as a version that stays, behind an alias with its weight: %s', (workflow) => {
      const machine = machineOf(workflow)?.id ?? ''
      const version = versions.find(({ properties }) => flat(properties.StateMachineArn).includes(machine))
      expect(version?.whole).toMatchObject({ DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' })
      expect(version?.properties.StateMachineRevisionId).toEqual({
        'Fn::GetAtt': [machine, 'StateMachineRevisionId'],
      })
      const alias = aliases.find(({ properties }) => flat(properties).includes(version?.id ?? '?'))
      expect(alias?.properties).toMatchObject({ Name: 'live', RoutingConfiguration: [{ Weight: 100 }] })
    })

    it('are registered once their machines are there', () => {
      const records = dev.resources('Custom::DevCycleWorkflow')
      expect(records.map(({ properties }) => properties.Source).sort()).toEqual(
        shipped.map(({ source }) => source).sort(),
      )
      for (const { properties, whole } of records) {
        expect(properties).toMatchObject({ Tenant: 'default', ServiceTimeout: '120' })
        expect(properties.Share).toBeUndefined()
        expect(flat(properties.ServiceToken)).toContain('Register')
        expect(whole.DependsOn.some((id: string) => aliases.some((alias) => alias.id === id))).toBe(true)
      }
    })

    it('give their latest version the share of new runs that the stage says', () => {
      const records = changed().resources('Custom::DevCycleWorkflow')
      expect(records.map(({ properties }) => properties.Share)).toEqual(shipped.map(() => 10))
    })
  })
