import { checkInput } from '#functions/api/check-input.ts'
import { readMessage } from '#functions/api/read-message.ts'
import { readSubmit } from '#functions/api/read-submit.ts'
import type { Caller } from '#shared/domain/caller.ts'

/** What a pass over a fan-out is given to read rows with. */
export const rowTools = { checkInput, readSubmit, readMessage }

export const anAdmin: Caller = {
  tenant: 'default',
  principal: { kind: 'key', id: 'k', role: 'admin' },
  requestId: 'r',
}

/** Of a batch whose rows alone say what they are refused for. */
export const unchecked = async (): Promise<void> => undefined
