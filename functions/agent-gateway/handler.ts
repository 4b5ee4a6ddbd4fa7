import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware'
import { logMetrics } from '@aws-lambda-powertools/metrics/middleware'
import { captureLambdaHandler } from '@aws-lambda-powertools/tracer/middleware'
import middy from '@middy/core'
import type { Context } from 'aws-lambda'
import { createApi } from '#functions/api/app.ts'
import { createAwsPlatform } from '#shared/platform/aws/create-aws-platform.ts'
import packageJson from '../../package.json' with { type: 'json' }
import { agentOfArn, answerInvoke, type InvokeRequest } from './invoke.ts'

const platform = createAwsPlatform(process.env)
const { logger, metrics, tracer } = platform.telemetry
const app = createApi({ platform, settings: { version: packageJson.version, streamSeconds: 0, holdSeconds: 0 } })

export const handler = middy((request: InvokeRequest, context: Context) =>
  answerInvoke(app, request, agentOfArn(context.invokedFunctionArn)),
)
  .use(captureLambdaHandler(tracer, { captureResponse: false }))
  .use(injectLambdaContext(logger))
  .use(logMetrics(metrics))
