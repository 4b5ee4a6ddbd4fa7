import { Validations } from 'aws-cdk-lib'
import type { IConstruct } from 'constructs'

/** Says why a rule of cdk-nag, or one finding of it, does not hold for a construct and everything in it. */
export const acknowledge = (construct: IConstruct, id: string, reason: string): void =>
  Validations.of(construct).acknowledge({ id, reason })

/** Wildcards in permissions that are meant: each resource with its reason. */
export const acknowledgeWildcards = (construct: IConstruct, resources: Record<string, string>): void => {
  for (const [resource, reason] of Object.entries(resources))
    acknowledge(construct, `AwsSolutions-IAM5[Resource::${resource}]`, reason)
}

/** Managed policies that are meant. */
export const acknowledgePolicy = (construct: IConstruct, policy: string, reason: string): void =>
  acknowledge(
    construct,
    `AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/${policy}]`,
    reason,
  )
