import { fileURLToPath } from 'node:url'
import { IgnoreMode } from 'aws-cdk-lib'
import { Repository } from 'aws-cdk-lib/aws-ecr'
import { Platform } from 'aws-cdk-lib/aws-ecr-assets'
import { ContainerImage } from 'aws-cdk-lib/aws-ecs'
import type { Construct } from 'constructs'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** What `agent-container/Dockerfile` copies: a change of anything else is no new image. */
const inImage = ['package.json', 'package-lock.json', '.npmrc', 'shared/contracts', 'agent-container']
const exclude = ['*', ...inImage.map((path) => `!${path}`)]

/** An image in ECR, as its account, region, repository, and tag or digest. */
const ecrPattern =
  /^(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?\/([^:@]+)(?::([^@]+)|@(sha256:[0-9a-f]{64}))$/

const existingImage = (scope: Construct, uri: string): ContainerImage => {
  const [, account, region, repositoryName = '', tag, digest] = ecrPattern.exec(uri) ?? []
  if (account === undefined) return ContainerImage.fromRegistry(uri)
  const repositoryArn = `arn:aws:ecr:${region}:${account}:repository/${repositoryName}`
  const repository = Repository.fromRepositoryAttributes(scope, 'AgentRepository', { repositoryArn, repositoryName })
  return ContainerImage.fromEcrRepository(repository, tag ?? digest)
}

/**
 * `-c agentImage=URI` names an existing image for arm64, best by its digest; else it is built from the Dockerfile when
 * the stack is deployed, which takes Docker. Synthesis needs neither.
 */
export const agentImage = (scope: Construct): ContainerImage => {
  const uri: unknown = scope.node.tryGetContext('agentImage')
  if (typeof uri === 'string' && uri !== '') return existingImage(scope, uri)
  return ContainerImage.fromAsset(root, {
    file: 'agent-container/Dockerfile',
    platform: Platform.LINUX_ARM64,
    ignoreMode: IgnoreMode.DOCKER,
    exclude,
  })
}
