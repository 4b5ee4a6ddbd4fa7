/** What one task may use, over all processes that it starts. */
export type Resources = {
  /** Processors; a task that wants more is slowed down. @default as many as there are */
  cpu?: number
  /** Resident memory. @default 1024 */
  memoryMb: number
  /** What the workspace may hold. @default 4096 */
  diskMb: number
  /** `false`: no network at all, not even this machine's. @default true */
  network: boolean
  /** Open files of each process. @default 4096 */
  openFiles: number
  /** @default 256 */
  processes: number
}

/** Classes by name, for agents and for `requirements.resourceClass` of tasks. */
export const resourceClasses = {
  small: { cpu: 0.5, memoryMb: 512, diskMb: 1024, network: true, openFiles: 1024, processes: 64 },
  medium: { cpu: 1, memoryMb: 2048, diskMb: 4096, network: true, openFiles: 4096, processes: 256 },
  large: { cpu: 4, memoryMb: 8192, diskMb: 16_384, network: true, openFiles: 16_384, processes: 1024 },
} as const satisfies Record<string, Resources>
export type ResourceClass = keyof typeof resourceClasses

const defaults: Resources = { memoryMb: 1024, diskMb: 4096, network: true, openFiles: 4096, processes: 256 }

/** The bounds of an agent's tasks: those of its class, or the usual ones with what it says otherwise. */
export const resourcesOf = (definition: {
  memoryMb?: number
  resources?: ResourceClass | Partial<Resources>
}): Resources => {
  const { resources = {}, memoryMb } = definition
  const chosen = typeof resources === 'string' ? resourceClasses[resources] : { ...defaults, ...resources }
  return { ...chosen, ...(memoryMb !== undefined && { memoryMb }) }
}
