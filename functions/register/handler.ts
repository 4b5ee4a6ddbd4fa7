import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware'
import { captureLambdaHandler } from '@aws-lambda-powertools/tracer/middleware'
import middy from '@middy/core'
import type { CloudFormationCustomResourceEvent } from 'aws-lambda'
import { createAwsPlatform } from '#shared/platform/aws/create-aws-platform.ts'
import { register } from './register.ts'

const platform = createAwsPlatform(process.env)
const { logger, tracer } = platform.telemetry

export const handler = middy((event: CloudFormationCustomResourceEvent) => register(platform, event))
  .use(captureLambdaHandler(tracer, { captureResponse: false }))
  .use(injectLambdaContext(logger))
