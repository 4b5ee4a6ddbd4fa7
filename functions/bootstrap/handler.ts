import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware'
import { captureLambdaHandler } from '@aws-lambda-powertools/tracer/middleware'
import middy from '@middy/core'
import { createAwsPlatform } from '#shared/platform/aws/create-aws-platform.ts'
import { bootstrap } from './bootstrap.ts'

const platform = createAwsPlatform(process.env)
const { logger, tracer } = platform.telemetry

export const handler = middy(() => bootstrap(platform))
  .use(captureLambdaHandler(tracer, { captureResponse: false }))
  .use(injectLambdaContext(logger))
