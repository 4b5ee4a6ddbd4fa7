import type { Item } from '#shared/platform/platform.ts'

/** Two items that only make sense together. */
export const aPair = (number: number): [Item, Item] => {
  const pk = `acme#pair#${number}`
  const value = { number, text: 'x'.repeat(300) }
  return [
    { pk, sk: 'left', type: 'half', value },
    { pk, sk: 'right', type: 'half', value },
  ]
}
