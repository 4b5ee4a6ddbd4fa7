import { Duration, RemovalPolicy } from 'aws-cdk-lib'
import { Architecture, Function as LambdaFunction, Runtime, Tracing } from 'aws-cdk-lib/aws-lambda'
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs'
import type { Construct } from 'constructs'
import type { SettingsEnvironment } from '#shared/platform/aws/settings.ts'
import { acknowledgePolicy } from '../acknowledge.ts'
import { functionCode } from '../bundle.ts'

export interface PlatformFunctionProps {
  /** Folder below `functions/` whose `handler.ts` exports `handler`. */
  readonly folder: string
  readonly functionName: string
  /** Everything the settings schema asks for: what is missing here does not compile. */
  readonly environment: SettingsEnvironment
  readonly logDays: RetentionDays
  /** @default 30 seconds */
  readonly timeout?: Duration
  /** @default 512 */
  readonly memorySize?: number
}

/** A function on arm64 and Node 24, traced, with a log group of its own. */
export class PlatformFunction extends LambdaFunction {
  constructor(scope: Construct, id: string, props: PlatformFunctionProps) {
    const { folder, functionName, environment, logDays, timeout = Duration.seconds(30), memorySize = 512 } = props
    super(scope, id, {
      functionName,
      code: functionCode(folder),
      handler: 'index.handler',
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      timeout,
      memorySize,
      tracing: Tracing.ACTIVE,
      environment: { ...(environment as Record<string, string>), POWERTOOLS_LOG_LEVEL: 'INFO' },
      logGroup: new LogGroup(scope, `${id}Logs`, { retention: logDays, removalPolicy: RemovalPolicy.DESTROY }),
    })
    acknowledgePolicy(this, 'AWSLambdaBasicExecutionRole', 'it writes logs and nothing else')
  }
}
