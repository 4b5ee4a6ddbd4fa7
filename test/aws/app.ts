import { createApp } from '#infra/app.ts'

/** The app of a stage whose webhooks may go to this machine. */
createApp({}, { egressAllow: ['127.0.0.1'] })
