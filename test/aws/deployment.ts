import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { fileURLToPath } from 'node:url'
import {
  CloudFormationClient,
  ListStackResourcesCommand,
  type StackResourceSummary,
} from '@aws-sdk/client-cloudformation'
import { type CliResult, runCli } from '#test/support/cli-process.ts'
import type { Emulator } from './emulator.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const account = '000000000000'
const image = 'registry.example.com/devcycle-agent:1'
const cdkApp = `node ${fileURLToPath(new URL('app.ts', import.meta.url))}`

/** Why an emulator leaves a type of resource out, by the type. */
export type Reasons = Record<string, string>
type Template = { Resources: Record<string, { Type: string; DependsOn?: string | string[] }> }

/** The app as an emulator runs it. */
export type Deployment = {
  emulator: Emulator
  /** Of the HTTP API, as the emulator serves it. */
  url: string
  /** Made by `devcycle bootstrap`. */
  apiKey: string
  outputs: Record<string, string>
  /** The synthesized templates. */
  folder: string
  resources: (StackResourceSummary & { stack: string })[]
  cli(...words: string[]): Promise<CliResult>
  remove(): void
}

const run = (command: string, words: string[], environment: Record<string, string>): Promise<void> =>
  new Promise((resolve, reject) => {
    const child = spawn(command, words, {
      cwd: root,
      env: {
        ...process.env,
        ...environment,
        PATH: [join(root, 'node_modules/.bin'), dirname(process.execPath), process.env.PATH].join(delimiter),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let said = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk))
    child.once('error', reject)
    child.once('close', (code) =>
      code === 0
        ? resolve()
        : reject(new Error(`${command} ${words.join(' ')} ended with ${code}:\n${said.slice(-6000)}`)),
    )
  })

/** Takes resources of the types out of the templates that were synthesized, and out of what waits for them. */
const leaveOut = (folder: string, types: string[]): void => {
  for (const name of readdirSync(folder).filter((one) => one.endsWith('.template.json'))) {
    const file = join(folder, name)
    const template = JSON.parse(readFileSync(file, 'utf8')) as Template
    const out = new Set(
      Object.entries(template.Resources).flatMap(([id, { Type }]) => (types.includes(Type) ? [id] : [])),
    )
    for (const id of out) delete template.Resources[id]
    for (const resource of Object.values(template.Resources))
      if (resource.DependsOn !== undefined)
        resource.DependsOn = [resource.DependsOn].flat().filter((id) => !out.has(id))
    writeFileSync(file, JSON.stringify(template))
  }
}

/** The app itself, or, where an emulator refuses templates with some types, what was synthesized without them. */
const appFor = async (folder: string, refused: Reasons, environment: Record<string, string>): Promise<string[]> => {
  const ours = ['--app', cdkApp, '--output', folder]
  if (Object.keys(refused).length === 0) return ours
  await run('cdk', ['synth', '--quiet', ...ours, '--context', `agentImage=${image}`], environment)
  leaveOut(folder, Object.keys(refused))
  return ['--app', folder]
}

const listResources = async (emulator: Emulator, stacks: string[]): Promise<Deployment['resources']> => {
  const client = new CloudFormationClient({ ...clientConfig(emulator) })
  const lists = await Promise.all(
    stacks.map(async (stack) => {
      const all: StackResourceSummary[] = []
      let NextToken: string | undefined
      do {
        const page = await client.send(new ListStackResourcesCommand({ StackName: stack, NextToken }))
        all.push(...(page.StackResourceSummaries ?? []))
        NextToken = page.NextToken
      } while (NextToken !== undefined)
      return all.map((one) => ({ ...one, stack }))
    }),
  )
  return lists.flat()
}

/** What SDK clients of this process need for an emulator. */
export const clientConfig = ({ environment, endpoint }: Emulator) => ({
  endpoint,
  region: 'us-east-1',
  credentials: {
    accessKeyId: environment.AWS_ACCESS_KEY_ID ?? 'test',
    secretAccessKey: environment.AWS_SECRET_ACCESS_KEY ?? 'test',
  },
})

/** This process trusts the authority of an emulator that speaks TLS. */
const trust = ({ environment }: Emulator): void => {
  if (environment.NODE_EXTRA_CA_CERTS === undefined) return
  setDefaultCACertificates([...getCACertificates('default'), readFileSync(environment.NODE_EXTRA_CA_CERTS, 'utf8')])
}

/** `cdk bootstrap`, `cdk deploy`, `devcycle bootstrap`: as an operator does it. Types in `refused` are left out. */
export const deploy = async (emulator: Emulator, refused: Reasons): Promise<Deployment> => {
  const { environment } = emulator
  trust(emulator)
  const work = mkdtempSync(join(tmpdir(), 'devcycle-deploy-'))
  const [folder, outputsFile] = [join(work, 'cdk.out'), join(work, 'outputs.json')]
  await run('cdk', ['bootstrap', `aws://${account}/us-east-1`], environment)
  const app = await appFor(folder, refused, environment)
  const words = ['deploy', '--all', ...app, '--require-approval', 'never', '--outputs-file', outputsFile]
  await run('cdk', [...words, '--context', `agentImage=${image}`], environment)
  const byStack = JSON.parse(readFileSync(outputsFile, 'utf8')) as Record<string, Record<string, string>>
  const outputs = Object.assign({}, ...Object.values(byStack)) as Record<string, string>
  const id = /^https:\/\/([^.]+)\.execute-api\./.exec(outputs.ApiUrl ?? '')?.[1]
  const url = `${emulator.endpoint}/_aws/execute-api/${id}/live`
  const bootstrapped = await runCli(['bootstrap', '--stage', 'dev', '--json'], environment)
  if (bootstrapped.code !== 0) throw new Error(`devcycle bootstrap: ${bootstrapped.stderr}`)
  const { apiKey } = JSON.parse(bootstrapped.stdout) as { apiKey: string }
  const stacks = ['Data', 'Network', 'Api', 'Agents', 'Workflows', 'Observability'].map(
    (part) => `DevCycle-dev-${part}`,
  )
  return {
    emulator,
    url,
    apiKey,
    outputs,
    folder,
    resources: await listResources(emulator, stacks),
    cli: (...words) => runCli(words, { ...environment, DEVCYCLE_URL: url, DEVCYCLE_API_KEY: apiKey }),
    remove: () => rmSync(work, { recursive: true, force: true }),
  }
}
