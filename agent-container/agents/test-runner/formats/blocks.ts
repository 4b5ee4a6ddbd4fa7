export type Block<Head> = { head: Head; lines: string[] }

/**
 * Cuts a text into blocks. A line for which `open` answers begins one, a line for which `closes` holds ends it;
 * lines outside of blocks are left out.
 */
export const cutBlocks = <Head>(
  text: string,
  { open, closes }: { open: (line: string) => Head | undefined; closes?: (line: string) => boolean },
): Block<Head>[] => {
  const blocks: Block<Head>[] = []
  let lines: string[] | undefined
  for (const line of text.split('\n')) {
    const head = open(line)
    if (head !== undefined) {
      lines = []
      blocks.push({ head, lines })
    } else if (closes?.(line)) lines = undefined
    else lines?.push(line)
  }
  return blocks
}
