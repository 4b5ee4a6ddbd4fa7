export type Schema = Record<string, unknown>

/** What agents say of a capability. */
export type Offer = { inputSchema?: Schema; outputSchema?: Schema }
/** By the name of the capability; one that is not offered is not there. */
export type Capabilities = ReadonlyMap<string, Offer>

/** A workflow that a step starts; without a version it is the one that new runs take. */
export type Start = { workflow: string; version?: string }
/** What is known of a version: the schema of its input, and what its runs start on every way through it. */
export type StoredVersion = { input?: Schema; starts: readonly Start[] }
export type StoredWorkflow = {
  /** Its versions and aliases, in words. */
  has: string
  /** By what was asked for, `''` when nothing was; a version that does not exist is not there. */
  versions: ReadonlyMap<string, StoredVersion>
}

/** What there is besides a definition, of what it names. */
export type Known = {
  /** What each offers, by the name or id that it is named by. */
  agents: ReadonlyMap<string, Capabilities>
  /** What somebody offers; where agents differ in a schema, that is left out. */
  capabilities: Capabilities
  queues: ReadonlySet<string>
  workflows: ReadonlyMap<string, StoredWorkflow>
  /** What in a value does not fit a JSON Schema. */
  checkInput(schema: Schema, value: unknown): { pointer: string; message: string }[]
}
