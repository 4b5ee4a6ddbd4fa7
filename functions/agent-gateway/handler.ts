import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware'
import { logMetrics } from '@aws-lambda-powertools/metrics/middleware'
import { captureLambdaHandler } from '@aws-lambda-powertools/tracer/middleware'
import middy from '@middy/core'
import type { Context } from 'aws-lambda'
import { createApi } from '#functions/api/app.ts'
import { boundedAnswer } from '#functions/api/bounded-answer.ts'
import { createAwsPlatform } from '#shared/platform/aws/create-aws-platform.ts'
import packageJson from '../../package.json' with { type: 'json' }
import { agentOfArn, answerInvoke, type InvokeRequest } from './invoke.ts'
import { refuseReturn } from './refuse-return.ts'

const platform = createAwsPlatform(process.env)
const { logger, metrics, tracer } = platform.telemetry
const app = createApi({ platform, settings: { version: packageJson.version, streamSeconds: 0, holdSeconds: 0 } })

export const handler = middy(async (request: InvokeRequest, context: Context) => {
  const agent = agentOfArn(context.invokedFunctionArn)
  const hosted = platform.settings.HOSTED_AGENTS
  const refused = await refuseReturn(platform, { request, agent, hosted, requestId: context.awsRequestId })
  return refused ?? boundedAnswer(await answerInvoke(app, request, agent))
})
  .use(captureLambdaHandler(tracer, { captureResponse: false }))
  .use(injectLambdaContext(logger))
  .use(logMetrics(metrics))
