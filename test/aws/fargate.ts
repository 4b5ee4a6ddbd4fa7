import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Deployment } from './deployment.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** Parsed JSON of a template. */
type Json = ReturnType<typeof JSON.parse>
type Container = {
  Command: string[]
  Environment: { Name: string; Value: Json }[]
  MountPoints: { ContainerPath: string }[]
}

export type FargateTask = {
  child: ChildProcess
  output: () => string
  /** As ECS does when it has to be quick, with everything the container started. */
  kill(): void
  /** SIGTERM, and until it has ended. */
  stop(): Promise<void>
}

/** A value of the template: texts, joins, and what other stacks export, which is an output of the same name. */
const textOf = (value: Json, outputs: Record<string, string>): string => {
  if (typeof value === 'string') return value
  if (value['Fn::Join']) return value['Fn::Join'][1].map((one: Json) => textOf(one, outputs)).join(value['Fn::Join'][0])
  const found = outputs[value['Fn::ImportValue']?.split(':')[1]]
  if (found === undefined)
    throw new Error(`the task definition has a value that is not known: ${JSON.stringify(value)}`)
  return found
}

const definitionOf = ({ folder }: Deployment, agent: string): { container: Container; roleId: string } => {
  const { Resources } = JSON.parse(readFileSync(join(folder, 'Agents.template.json'), 'utf8')) as Json
  const definition = Object.values<Json>(Resources).find(
    ({ Type, Properties }) => Type === 'AWS::ECS::TaskDefinition' && Properties.Family.endsWith(`-${agent}`),
  )
  const { ContainerDefinitions, TaskRoleArn } = definition.Properties
  return { container: ContainerDefinitions[0], roleId: TaskRoleArn['Fn::GetAtt'][0] }
}

/** Credentials of the task's role, the way that a profile of the AWS configuration assumes one. */
const asRole = ({ emulator, resources }: Deployment, roleId: string, work: string): Record<string, string> => {
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, ...rest } = emulator.environment
  const role = resources.find(({ LogicalResourceId }) => LogicalResourceId === roleId)?.PhysicalResourceId
  const config = join(work, 'aws-config')
  const own = `[profile own]\naws_access_key_id = ${AWS_ACCESS_KEY_ID}\naws_secret_access_key = ${AWS_SECRET_ACCESS_KEY}`
  const task = `[profile task]\nrole_arn = arn:aws:iam::000000000000:role/${role}\nsource_profile = own`
  writeFileSync(config, `${own}\n${task}\n`)
  return { ...rest, AWS_PROFILE: 'task', AWS_CONFIG_FILE: config, AWS_SHARED_CREDENTIALS_FILE: config }
}

/** Plays ECS: the container's main with the task definition's own command, environment, volume and role. */
export const startFargateTask = (deployment: Deployment, agent: string): FargateTask => {
  const work = mkdtempSync(join(tmpdir(), `devcycle-fargate-${agent}-`))
  const { container, roleId } = definitionOf(deployment, agent)
  const volumes = container.MountPoints.map(({ ContainerPath }) => ContainerPath)
  for (const path of volumes) mkdirSync(join(work, path))
  const mounted = (value: string): string => (volumes.includes(value) ? join(work, value) : value)
  const variables = container.Environment.map(({ Name, Value }) => [Name, mounted(textOf(Value, deployment.outputs))])
  const child = spawn(process.execPath, ['agent-container/main.ts', ...container.Command], {
    cwd: root,
    env: { PATH: process.env.PATH, ...asRole(deployment, roleId, work), ...Object.fromEntries(variables) },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk))
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  return {
    child,
    output: () => said,
    kill() {
      if (child.pid !== undefined && child.exitCode === null && child.signalCode === null)
        process.kill(-child.pid, 'SIGKILL')
    },
    async stop() {
      child.kill('SIGTERM')
      await ended
      rmSync(work, { recursive: true, force: true })
    },
  }
}
