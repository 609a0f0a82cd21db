/** Reads the items 0 to `count - 1` in their order, `ahead` of them while one is being worked on. */
export async function* inOrder<T>(
  count: number,
  ahead: number,
  read: (index: number) => Promise<T>,
): AsyncGenerator<T> {
  const waiting: Promise<T>[] = []
  for (let next = 0; next < count || waiting.length > 0; ) {
    while (next < count && waiting.length <= ahead) {
      const item = read(next++)
      // its error is thrown when its turn comes; until then nobody waits for it
      item.catch(() => {})
      waiting.push(item)
    }
    const item = waiting.shift()
    if (item !== undefined) yield await item
  }
}
