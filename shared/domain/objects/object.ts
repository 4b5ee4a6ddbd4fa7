import type { Item, Key, ObjectStat, Platform, Presigned } from '../../platform/platform.ts'
import { type Caller, type Stamp, stamp } from '../caller.ts'
import { DomainError } from '../domain-error.ts'
import { digest, idFor } from '../ids.ts'
import { requireSame } from '../require-same.ts'

/** What was declared when the object was made; its bytes are in `Objects`. */
export type ObjectRecord = {
  id: string
  tenant: string
  contentType?: string
  size?: number
  sha256?: string
  declared: string
  createdAt: number
  stamp: Stamp
}

/** Where the record of an object is. */
export const objectKey = (tenant: string, id: string): Key => ({ pk: `${tenant}#object#${id}`, sk: 'head' })

const uploadAction = 'object.create'
/** Whether it is a large value that the product keeps, and nothing that a caller uploaded. */
export const isValue = ({ contentType, stamp }: ObjectRecord): boolean =>
  contentType === 'application/json' && stamp.action !== uploadAction

/** The record of an object, to be written with whatever points to it. */
export const objectItem = (record: ObjectRecord): Item<ObjectRecord> => ({
  ...objectKey(record.tenant, record.id),
  type: 'object',
  value: record,
})

export type DeclareCommand = { contentType?: string; size?: number; sha256?: string; idempotencyKey?: string }
export type DescribedObject = { record: ObjectRecord; stat?: ObjectStat; upload?: Presigned; download?: Presigned }

/** How long an address for upload or download works. */
const presignedSeconds = 3600

type Ports = Pick<Platform, 'main' | 'objects' | 'clock' | 'random'>

/** Makes an object whose bytes the caller uploads next. */
export const declareObject = async (
  ports: Ports,
  caller: Caller,
  command: DeclareCommand,
): Promise<DescribedObject> => {
  const { idempotencyKey, ...declared } = command
  const record: ObjectRecord = {
    ...declared,
    id: idFor('obj', caller.tenant, idempotencyKey, ports),
    tenant: caller.tenant,
    declared: digest(declared),
    createdAt: ports.clock.now(),
    stamp: stamp(caller, uploadAction),
  }
  const outcome = await ports.main.write({ op: 'put', item: objectItem(record), expect: 'absent' })
  const stored = outcome.ok ? record : (outcome.conflicts[0]?.current?.value as ObjectRecord | undefined)
  requireSame(`object ${record.id}`, idempotencyKey, { before: stored?.declared, now: record.declared })
  return describe(ports, stored ?? record)
}

/** The object with an address to fetch it from, or to send it to while it has no bytes. */
export const describeObject = async (ports: Ports, tenant: string, id: string): Promise<DescribedObject> => {
  const record = (await ports.main.get<ObjectRecord>(objectKey(tenant, id)))?.value
  if (record === undefined) throw new DomainError('NOT_FOUND', `there is no object ${id}`)
  return describe(ports, record)
}

const describe = async ({ objects }: Ports, record: ObjectRecord): Promise<DescribedObject> => {
  const { tenant, id, contentType, sha256, size } = record
  const stat = await objects.stat({ tenant, id })
  return stat
    ? { record, stat, download: await objects.presignGet({ tenant, id }, { seconds: presignedSeconds }) }
    : {
        record,
        upload: await objects.presignPut({ tenant, id }, { seconds: presignedSeconds, contentType, sha256, size }),
      }
}
