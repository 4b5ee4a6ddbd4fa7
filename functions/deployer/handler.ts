import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware'
import { captureLambdaHandler } from '@aws-lambda-powertools/tracer/middleware'
import middy from '@middy/core'
import { createAwsPlatform } from '#shared/platform/aws/create-aws-platform.ts'
import type { WorkflowDefinition } from '#shared/platform/platform.ts'
import { deploy } from './deploy.ts'

const { machines, telemetry } = createAwsPlatform(process.env)
const { logger, tracer } = telemetry

export const handler = middy((definition: WorkflowDefinition) => deploy(machines, definition))
  .use(captureLambdaHandler(tracer, { captureResponse: false }))
  .use(injectLambdaContext(logger))
