import { agentsSuite } from './suites/agents-suite.ts'
import { apiSuite } from './suites/api-suite.ts'
import { appSuite } from './suites/app-suite.ts'
import { edgesSuite } from './suites/edges-suite.ts'
import { functionsSuite } from './suites/functions-suite.ts'
import { needsSuite } from './suites/needs-suite.ts'
import { networkSuite } from './suites/network-suite.ts'
import { observabilitySuite } from './suites/observability-suite.ts'
import { permissionsSuite } from './suites/permissions-suite.ts'
import { socketsSuite } from './suites/sockets-suite.ts'
import { stateSuite } from './suites/state-suite.ts'
import { workflowsSuite } from './suites/workflows-suite.ts'
import { synthesize } from './synthesize.ts'

/** All suites in one process: CDK takes seconds to load. */
const dev = synthesize()

appSuite(dev)
stateSuite(dev)
permissionsSuite(dev)
needsSuite(dev)
edgesSuite(dev)
functionsSuite(dev)
apiSuite(dev)
socketsSuite(dev)
agentsSuite(dev)
workflowsSuite(dev)
networkSuite(dev)
observabilitySuite(dev)
