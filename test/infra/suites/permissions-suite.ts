import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { commandsOf } from '../sdk-commands.ts'
import { flat, type Json, type Synthesized } from '../synthesize.ts'

/** Actions that name no resource, and why. */
const anyResource: Record<string, string> = {
  'xray:PutTraceSegments': 'X-Ray has no resources',
  'xray:PutTelemetryRecords': 'X-Ray has no resources',
  'ecr:GetAuthorizationToken': 'the token of the registry has no resource',
  'ecs:ListTasks': 'listing has no resource; a condition names the own cluster',
}

type Statement = { owner: string; actions: string[]; resources: Json[]; condition: Json; effect: string }

const list = (value: Json): Json[] => (Array.isArray(value) ? value : [value])

/** What roles may do, and to what. */
export const statementsOf = (app: Synthesized): Statement[] =>
  app.resources('AWS::IAM::Policy').flatMap(({ id, properties }) =>
    properties.PolicyDocument.Statement.map((statement: Json) => ({
      owner: id,
      actions: list(statement.Action),
      resources: list(statement.Resource),
      condition: statement.Condition,
      effect: statement.Effect,
    })),
  )

export const permissionsSuite = (dev: Synthesized) =>
  describe('permissions', () => {
    const statements = statementsOf(dev)
    const of = (prefix: string) => statements.filter(({ owner }) => owner.startsWith(prefix))

    it('name every action', () => {
      expect(statements.length).toBeGreaterThan(20)
      expect(statements.flatMap(({ actions }) => actions).filter((action) => action.includes('*'))).toEqual([])
    })

    it('name a resource wherever there is one to name', () => {
      const open = statements.filter(({ resources }) => resources.some((resource) => flat(resource) === '*'))
      for (const { actions } of open) expect(Object.keys(anyResource)).toEqual(expect.arrayContaining(actions))
      expect(new Set(open.flatMap(({ actions }) => actions))).toEqual(new Set(Object.keys(anyResource)))
      const listing = open.find(({ actions }) => actions.includes('ecs:ListTasks'))
      expect(flat(listing?.condition)).toContain(':cluster/devcycle-dev')
    })

    it('reach what is made later by the own prefix alone', () => {
      const wild = statements
        .flatMap(({ resources }) => resources.map(flat))
        .filter((resource) => resource !== '*' && resource.includes('*'))
      const own =
        /:devcycle-dev-\*(:\*)?$|:devcycle-dev-default-agt_\*$|:task\/devcycle-dev\/\*$|Objects\w+Arn\w+\/\*$|:SocketsApi\w+\/live\/\*\/@connections\/\*$/
      expect(wild.filter((resource) => !own.test(resource))).toEqual([])
    })

    it('let everything that places a task count children and keep pins beside the records', () => {
      const writers = (name: string) =>
        of(`${name}ServiceRole`).filter(({ actions }) => actions.includes('dynamodb:UpdateItem'))
      for (const name of ['Api', 'AgentGateway', 'Stream', 'Sweep', 'WorkflowSteps', 'Intake'])
        expect([
          name,
          writers(name)
            .flatMap(({ resources }) => resources.map(flat))
            .toSorted(),
        ]).toEqual([name, [expect.stringMatching(/Main/), expect.stringMatching(/Volatile/)]])
    })

    it('let nothing scan a table, administrate one, or change a queue', () => {
      const forbidden =
        /Scan$|Table$|dynamodb:.*(Batch)?Write|SetQueueAttributes|DeleteQueue|PurgeQueue|iam:(?!PassRole)/
      expect(statements.flatMap(({ actions }) => actions).filter((action) => forbidden.test(action))).toEqual([])
    })

    it('let state machines be made by the deployer alone, of the own prefix, that act as the role of workflows', () => {
      const passes = statements.filter(({ actions }) => actions.includes('iam:PassRole'))
      for (const { resources, condition } of passes) {
        expect(resources.map(flat)).toEqual([expect.stringMatching(/WorkflowRole\w+Arn/)])
        expect(condition).toEqual({ StringEquals: { 'iam:PassedToService': 'states.amazonaws.com' } })
      }
      const owners = (all: typeof statements) => all.map(({ owner }) => owner.replace(/ServiceRole.*/, '')).toSorted()
      const makers = statements.filter(({ actions }) => actions.includes('states:CreateStateMachine'))
      expect(owners(passes)).toEqual(['Deployer'])
      expect(owners(makers)).toEqual(owners(passes))
      expect(makers.flatMap(({ resources }) => resources.map(flat))).toEqual([
        expect.stringMatching(/:states:.*:stateMachine:devcycle-dev-\*$/),
      ])
      const callers = statements.filter(({ resources }) => resources.some((one) => flat(one).startsWith('Deployer')))
      expect(owners(callers)).toEqual(['Api', 'Register', 'Stream', 'Sweep', 'WorkflowSteps'])
      for (const { actions } of callers) expect(actions).toEqual(['lambda:InvokeFunction'])
    })

    it('let workflows send commands of steps, and do nothing else', () => {
      const [own, ...more] = of('WorkflowRole')
      expect(more).toEqual([])
      expect(own?.actions).toEqual(['sqs:SendMessage'])
      expect(own?.resources.map(flat)).toEqual([expect.stringMatching(/^StepsQueue/)])
      const role = dev.resources('AWS::IAM::Role').find(({ id }) => id.startsWith('WorkflowRole'))
      const { Condition } = role?.properties.AssumeRolePolicyDocument.Statement[0] ?? {}
      expect(flat(Condition)).toContain(':stateMachine:devcycle-dev-*')
    })

    it('let the first key be made, and nothing else be done, by who makes it', () => {
      const records = of('BootstrapServiceRole').filter(({ actions }) =>
        actions.some((one) => one.startsWith('dynamodb')),
      )
      expect(records).toHaveLength(1)
      expect(records[0]?.actions).toEqual(['dynamodb:PutItem'])
      const bootstrap = dev.resources('AWS::Lambda::Function').find(({ id }) => id.startsWith('Bootstrap'))
      const invokers = dev
        .resources('AWS::Lambda::Permission')
        .filter(({ properties }) => JSON.stringify(properties.FunctionName).includes(bootstrap?.id ?? '?'))
      expect(invokers).toEqual([])
    })

    const actionsOfAgents = commandsOf(readFileSync('agent-container/runner/sqs-task-source.ts', 'utf8'))
    it.each([
      ['code-reviewer', 'codereviewer'],
      ['test-runner', 'testrunner'],
      ['release-notes', 'releasenotes'],
    ])('let %s receive its work and call the gateway as itself, and nothing else', (agent, id) => {
      const role = of(`${id}TaskTaskRole`)
      expect(role.flatMap(({ actions }) => actions).sort()).toEqual(actionsOfAgents.sort())
      const gateway = role.find(({ actions }) => actions.includes('lambda:InvokeFunction'))
      expect(gateway?.resources.map(flat)).toEqual([expect.stringMatching(new RegExp(`AgentGateway.*:${agent}$`))])
      const aliases = dev.resources('AWS::Lambda::Alias').map(({ properties }) => properties.Name)
      expect(aliases).toContain(agent)
    })

    it('trust one service each', () => {
      for (const { properties } of dev.resources('AWS::IAM::Role'))
        for (const { Principal } of properties.AssumeRolePolicyDocument.Statement)
          expect(Principal.Service).toMatch(/^(lambda|states|ecs-tasks|apigateway|vpc-flow-logs)\.amazonaws\.com$/)
    })
  })
