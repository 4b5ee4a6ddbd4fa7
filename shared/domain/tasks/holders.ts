/** Partition of the `holder` index with what an instance holds. */
export const instanceHolderPk = (tenant: string, instance: string): string => `${tenant}#instance#${instance}`
/** Partition of the `holder` index with what waits for somebody to offer a capability. */
export const capabilityHolderPk = (tenant: string, capability: string): string => `${tenant}#capability#${capability}`
/** Partition of the `holder` index with what a limit holds, in the order in which it lets them go. */
export const limitHolderPk = (tenant: string, limit: string): string => `${tenant}#limit#${limit}`
