import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createApp } from '#infra/app.ts'
import type { StageConfig } from '#infra/config.ts'

/** Parsed JSON, of whatever shape the test expects. */
export type Json = ReturnType<typeof JSON.parse>
export type Part = 'Data' | 'Network' | 'Api' | 'Agents' | 'Workflows' | 'Observability'
export type Resource = { part: Part; id: string; type: string; properties: Json; whole: Json }

const parts: Part[] = ['Data', 'Network', 'Api', 'Agents', 'Workflows', 'Observability']
const { context } = JSON.parse(readFileSync(new URL('../../cdk.json', import.meta.url), 'utf8')) as {
  context: Record<string, unknown>
}

const folders: string[] = []
process.once('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

/** The app of one stage as the CLI would make it, with its templates read. It stays on disk until the process ends. */
export const anApp = (given: Record<string, unknown> = {}, overrides: Partial<StageConfig> = {}) => {
  const outdir = mkdtempSync(join(tmpdir(), 'devcycle-synth-'))
  folders.push(outdir)
  return createApp({ context: { ...context, ...given }, outdir, autoSynth: false }, overrides)
}

const read = (given: Record<string, unknown>, overrides: Partial<StageConfig>) => {
  const assembly = anApp(given, overrides).synth()
  const templates = Object.fromEntries(
    parts.map((part) => [part, assembly.getStackArtifact(part).template as Json]),
  ) as Record<Part, Json>
  const all = parts.flatMap((part): Resource[] =>
    Object.entries<Json>(templates[part].Resources).map(([id, whole]) => ({
      part,
      id,
      type: whole.Type,
      properties: whole.Properties ?? {},
      whole,
    })),
  )
  return {
    folder: assembly.directory,
    stacks: assembly.stacks,
    templates,
    resources: (type?: string): Resource[] => (type === undefined ? all : all.filter((one) => one.type === type)),
  }
}
export type Synthesized = ReturnType<typeof read>

const made = new Map<string, Synthesized>()
/** One app for the same wishes: each takes a second. */
export const synthesize = (given: Record<string, unknown> = {}, overrides: Partial<StageConfig> = {}): Synthesized => {
  const wishes = JSON.stringify([given, overrides])
  const app = made.get(wishes) ?? read(given, overrides)
  made.set(wishes, app)
  return app
}

/** An app in which everything is another than a stage has it: what these say, none of them says to another. */
export const changed = () =>
  synthesize(
    { agentImage: 'registry.example.com/agents:1' },
    { alarmEmail: 'ops@example.com', workflowShare: 10, domain },
  )
/** Where `changed` listens. */
export const domain = {
  name: 'api.example.com',
  certificateArn: 'arn:aws:acm:eu-west-1:123456789012:certificate/c',
}

/** Every text in a value, intrinsic functions joined as far as they are known: enough to look for names in it. */
export const flat = (value: Json): string => {
  if (typeof value === 'string') return value
  if (Array.isArray(value)) return value.map(flat).join(',')
  if (value?.['Fn::Join']) return value['Fn::Join'][1].map(flat).join(value['Fn::Join'][0])
  if (value && typeof value === 'object') return Object.values<Json>(value).map(flat).join('.')
  return String(value)
}
