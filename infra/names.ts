/** Names that stacks, and the running platform, must agree on without depending on each other. */
export const clusterName = (prefix: string): string => prefix
export const serviceName = (prefix: string, agent: string): string => `${prefix}-${agent}`
/** Queues of agents are made while the platform runs; permissions are given by the prefix of their names. */
export const queuesNamed = (prefix: string): string => `${prefix}-*`
/** State machines of workflows are made while the platform runs, too. */
export const stateMachinesNamed = (prefix: string): string => `${prefix}-*`
/** Queues of agents alone: not the one of reminders, and none of what was set aside. */
export const agentQueuesNamed = (prefix: string): string => `${prefix}-default-agt_*`
