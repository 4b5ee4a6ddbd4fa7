/** A label that is looked for: one of these names with its value, or with any where none is given. */
export type WantedLabel = [name: string, value: string | undefined][]

/** Whether a label is among those that are there; what every object has is none. */
export const hasLabel = (labels: Record<string, string>, wanted: WantedLabel): boolean =>
  wanted.some(([name, value]) => Object.hasOwn(labels, name) && (value === undefined || labels[name] === value))
