import { anApi, anAwsApi } from './api.ts'
import { dynoxideBinary } from './aws-servers.ts'

/** Hosts on which an edge test runs, each with what opens an API over it. */
export const apiHosts = [
  { host: 'the embedded host', open: anApi },
  ...(dynoxideBinary() === undefined ? [] : [{ host: 'AWS', open: anAwsApi }]),
]
if (apiHosts.length === 1) console.warn('left out on AWS: there is no dynoxide for this platform')
