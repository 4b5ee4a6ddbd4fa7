import { existsSync, statSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { AgentDefinition } from '../sdk/index.ts'

const builtIns = fileURLToPath(new URL('../agents/', import.meta.url))
const sdk = new URL('../sdk/index.ts', import.meta.url).href
const entries = ['agent.ts', 'agent.js', 'agent.mjs']

/** An agent's folder or file, or the name of a built-in one, as the file to import. */
export const agentFile = (agent: string): string => {
  const candidates = [resolve(agent), join(builtIns, agent)]
  for (const path of candidates) {
    if (!existsSync(path)) continue
    if (!statSync(path).isDirectory()) return path
    const entry = entries.map((name) => join(path, name)).find((file) => existsSync(file))
    if (entry) return entry
    throw new Error(`the agent folder ${path} has none of ${entries.join(', ')}`)
  }
  throw new Error(`there is no agent ${agent}: neither a folder nor a built-in one`)
}

/** Lets an agent's folder import the SDK as `devcycle/agent`, and our zod when it has none of its own. */
const provideSdk = (): void => {
  registerHooks({
    resolve(specifier, context, next) {
      if (specifier === 'devcycle/agent') return { url: sdk, shortCircuit: true }
      try {
        return next(specifier, context)
      } catch (error) {
        if (specifier !== 'zod') throw error
        return next(specifier, { ...context, parentURL: import.meta.url })
      }
    },
  })
}

/** Imports an agent and checks that it is one. */
export const loadAgent = async (agent: string): Promise<AgentDefinition> => {
  const file = agentFile(agent)
  provideSdk()
  const module = (await import(pathToFileURL(file).href)) as { default?: unknown }
  const definition = module.default as AgentDefinition | undefined
  if (typeof definition?.name !== 'string' || typeof definition.capabilities !== 'object')
    throw new Error(`${file} must default-export defineAgent({ name, capabilities })`)
  return definition
}
