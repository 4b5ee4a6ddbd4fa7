import { expect, it } from 'vitest'
import { createDice } from '#cli/server/faults/dice.ts'
import { withFaults } from '#cli/server/faults/faulty-platform.ts'
import { parseFaultPlan } from '#cli/server/faults/plan.ts'
import { aPlatform } from '#test/support/embedded.ts'

it('takes an upload to an address for putting an object', async () => {
  const { platform, close } = await aPlatform()
  const plan = parseFaultPlan(JSON.stringify({ rules: [{ fault: 'throttle', where: 'objects.put', every: 1 }] }))
  const tools = { sleep: async () => undefined, crash: () => Promise.reject(new Error('crashed')) }
  const { objects } = withFaults(platform, createDice(plan), tools)
  const key = { tenant: 'acme', id: 'obj_1' }
  await expect(objects.put(key, Buffer.from('1'))).rejects.toThrow('objects.put was throttled')
  await expect(objects.putOnce(key, Buffer.from('1'))).rejects.toThrow('objects.put was throttled')
  expect(await objects.stat(key)).toBeUndefined()
  await close()
})
