/** Amazon States Language with JSONata, as far as definitions are compiled to it. https://states-language.net */
export type Values = Record<string, unknown>

export type AslState = {
  Type: 'Task' | 'Pass' | 'Choice' | 'Wait' | 'Parallel' | 'Map' | 'Succeed' | 'Fail'
  Comment?: string
  Next?: string
  End?: true
} & Values

export type AslBlock = { StartAt: string; States: Record<string, AslState> }

export type AslMachine = AslBlock & { Comment?: string; QueryLanguage: 'JSONata'; TimeoutSeconds?: number }

const placeholder = (name: string): string => `\${${name}}`

/** Put in when a version is deployed. */
export const placeholders = { queue: placeholder('StepsQueueUrl'), tenant: placeholder('Tenant') }
