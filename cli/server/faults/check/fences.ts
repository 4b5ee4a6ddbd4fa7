const parts = (fence: string): [number, number] => {
  const [generation = '', epoch = ''] = fence.split('.')
  return [Number(generation), Number(epoch)]
}

/** Negative: `a` is the older one. Fences are `<generation>.<epoch>`. */
export const compareFences = (a: string, b: string): number => {
  const [[generationA, epochA], [generationB, epochB]] = [parts(a), parts(b)]
  return generationA - generationB || epochA - epochB
}
