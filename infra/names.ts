/** Names that two stacks must agree on without depending on each other. */
export const clusterName = (prefix: string): string => prefix
export const serviceName = (prefix: string, agent: string): string => `${prefix}-${agent}`
