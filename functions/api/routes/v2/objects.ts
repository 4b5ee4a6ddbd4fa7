import type { ObjectResponse } from '#shared/contracts/objects.ts'
import type { OperationOf } from '#shared/contracts/operations.ts'
import { type DescribedObject, declareObject, describeObject } from '#shared/domain/objects/object.ts'
import { idempotencyKey, iso } from '../../headers.ts'
import type { Handler } from '../../operation.ts'

const presigned = (signed: DescribedObject['upload']) => signed && { ...signed, expiresAt: iso(signed.expiresAt) }

const toObject = ({ record, stat, upload, download }: DescribedObject): ObjectResponse => ({
  id: record.id,
  ref: { $ref: record.id },
  state: stat ? 'STORED' : 'PENDING',
  size: stat?.size ?? record.size,
  sha256: stat?.sha256 ?? record.sha256,
  contentType: stat?.contentType ?? record.contentType,
  createdAt: iso(record.createdAt),
  upload: presigned(upload),
  download: presigned(download),
})

const create: Handler<OperationOf<'createObject'>> = async ({ platform }, { caller, body, headers }) => {
  const described = await declareObject(platform, caller, { ...body, idempotencyKey: idempotencyKey(headers) })
  return { status: 201, body: toObject(described), headers: { location: `/api/v2/objects/${described.record.id}` } }
}

const get: Handler<OperationOf<'getObject'>> = async ({ platform }, { caller, params }) => ({
  status: 200,
  body: toObject(await describeObject(platform, caller.tenant, params.object ?? '')),
})

export const objectHandlers = { createObject: create, getObject: get }
