import type { Row } from '../row.ts'
import type { Product } from '../targets.ts'

/** What scenarios share: the product on an empty data folder, and the floor. */
export type Targets = { product: Product; floor: string; floorPid: number }
export type Scenario = (targets: Targets) => Promise<Row[]>
