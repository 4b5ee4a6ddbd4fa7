/** Partition of the `holder` index with what an instance holds. */
export const instanceHolderPk = (tenant: string, instance: string): string => `${tenant}#instance#${instance}`
/** Partition of the `holder` index with what waits for somebody to offer a capability. */
export const capabilityHolderPk = (tenant: string, capability: string): string => `${tenant}#capability#${capability}`
