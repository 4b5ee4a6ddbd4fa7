import { globSync, readFileSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { type OperationId, operations } from '#shared/contracts/operations.ts'
import { ownPermissions, type PortPermission, portPermissions } from '#shared/platform/aws/port-permissions.ts'
import { tableDefinition } from '#shared/platform/aws/table-definition.ts'
import { reachedOperations, type Skipped } from '../reached-operations.ts'
import { commandsOf } from '../sdk-commands.ts'
import { flat, type Synthesized } from '../synthesize.ts'
import { statementsOf } from './permissions-suite.ts'

const permissions = Object.values<PortPermission>(portPermissions)

const sources = globSync('shared/platform/aws/*.ts').map((file) => readFileSync(file, 'utf8'))
/** `Upload` of the SDK's library takes back what it has begun. */
const sent = [...sources.flatMap(commandsOf), 's3:AbortMultipartUpload']

/** Whether agents may ask for an operation: the gateway is there for them. */
const isForAgents = (id: string): boolean =>
  (operations[id as OperationId]?.audience ?? []).some((one) => one === 'host' || one === 'instance')
const skipped: Record<string, Skipped> = { 'agent-gateway': (id) => id in operations && !isForAgents(id) }

/** The function of the name, and what it does at AWS beside the ports. */
const functions: Record<string, { id: string; own?: string[] }> = {
  api: { id: 'Api' },
  'agent-gateway': { id: 'AgentGateway' },
  stream: { id: 'Stream' },
  sweep: { id: 'Sweep' },
  deliver: { id: 'Deliver' },
  intake: { id: 'Intake' },
  register: { id: 'Register' },
  websocket: { id: 'Websocket' },
  'workflow-steps': { id: 'WorkflowSteps', own: ownPermissions.runEnds.machine.map((action) => `${action} machine`) },
}

/** What a resource is, by what is known of its ARN before a deploy. */
const kinds: [RegExp, string][] = [
  [/(Main|Volatile)\w+Arn\w+\/index\/\w+$/, 'index'],
  [/(Main|Volatile)[0-9A-F]{8}Arn\w+$/, 'table'],
  [/:sqs:.*:devcycle-dev-\*$/, 'queue'],
  [/Objects\w+Arn\w+\/\*$/, 'object'],
  [/Objects\w+Arn\w+$/, 'bucket'],
  [/Bus\w+Arn\w+$/, 'bus'],
  [/:execute-api:.*\/live\/\*\/@connections\/\*$/, 'connection'],
  [/:stateMachine:devcycle-dev-\*$/, 'machine'],
  [/:execution:devcycle-dev-\*:\*$/, 'execution'],
  [/^Deployer\w+,Arn$/, 'function'],
  [/:ecs:.*:service\/devcycle-dev\/devcycle-dev-[a-z-]+$/, 'service'],
  [/:ecs:.*:task\/devcycle-dev\/\*$/, 'task'],
  [/^\*$/, 'anything'],
]
const storeOf = (resource: string): string => /(Main|Volatile)/.exec(resource)?.[1]?.toLowerCase() ?? ''
const kindOf = (resource: string): string => {
  const kind = kinds.find(([pattern]) => pattern.test(resource))?.[1] ?? resource
  if (kind === 'index') return `${storeOf(resource)} index ${resource.split('/').at(-1)}`
  return kind === 'table' ? storeOf(resource) : kind
}

/** Lambda itself reads sources of events as the function, sets aside what failed, and writes traces. */
const isOfLambda = (permission: string): boolean =>
  permission.startsWith('xray:') || /(Queue|Failures|MainStream|StreamArn)\w*/.test(permission.split(' ')[1] ?? '')

const names = tableDefinition.indexes.map(({ indexName }) => indexName)
/** A table's permissions are those of each table that is used, and of its indexes. */
const placesOf = (kind: string, reached: Set<string>): string[] => {
  const stores = ['main', 'volatile'].filter((name) => reached.has(name))
  if (kind === 'table') return stores
  return kind === 'index' ? stores.flatMap((store) => names.map((name) => `${store} index ${name}`)) : [kind]
}
const neededBy = (reached: Set<string>): string[] =>
  permissions
    .filter((one) => one.operations.some((name) => reached.has(name)))
    .flatMap(({ actions }) => Object.entries(actions))
    .flatMap(([kind, all]) => placesOf(kind, reached).flatMap((place) => all.map((action) => `${action} ${place}`)))

export const needsSuite = (dev: Synthesized) =>
  describe('what functions may do', () => {
    const reached: Record<string, Set<string>> = {}
    beforeAll(() => {
      const reachedBy = reachedOperations(Object.keys(functions))
      for (const name of Object.keys(functions)) reached[name] = reachedBy(name, skipped[name])
    }, 120_000)
    const statements = statementsOf(dev)
    const grantedTo = (id: string): string[] =>
      statements
        .filter(({ owner }) => owner.startsWith(`${id}ServiceRole`))
        .flatMap(({ actions, resources }) =>
          resources.flatMap((resource) => actions.map((action) => `${action} ${kindOf(flat(resource))}`)),
        )
        .filter((one) => !isOfLambda(one))

    it('is listed for every command that the adapters send, and for no other', () => {
      const own = Object.values<PortPermission['actions']>(ownPermissions)
      const listed = [...permissions.map(({ actions }) => actions), ...own].flatMap((actions) =>
        Object.values(actions).flat(),
      )
      expect([...new Set(listed)].sort()).toEqual([...new Set(sent)].sort())
    })

    it.each(Object.entries(functions))(
      'is what the code of %s comes to, and nothing else',
      (name, { id, own = [] }) => {
        const needed = [...neededBy(reached[name] ?? new Set()), ...own]
        expect(needed.length).toBeGreaterThan(10)
        expect([...new Set(grantedTo(id))].sort()).toEqual([...new Set(needed)].sort())
      },
    )

    it('is to make machines for the deployer, and to store a key for who makes the first one', () => {
      const machines = ownPermissions.machines.machine.map((action) => `${action} machine`)
      expect(
        grantedTo('Deployer')
          .filter((one) => !one.startsWith('iam:'))
          .sort(),
      ).toEqual(machines.sort())
      expect(grantedTo('Bootstrap')).toEqual(['dynamodb:PutItem main'])
    })
  })
