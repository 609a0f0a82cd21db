/** One key of an object in a JSON text. */
export interface JsonKey {
  /** Such as `spec.containers[0].name`. */
  readonly path: string
  readonly isDuplicate: boolean
}

interface Level {
  readonly path: string
  /** Of an object: the keys that were there already. */
  readonly keys?: Set<string>
  /** Of a list: where in it the text is. */
  index: number
}

const tokens = /"(?:[^"\\]|\\.)*"|[{}[\],:]/g

/** Every key in the order of the text, which is valid JSON: parsers keep only the last of duplicates. */
export function jsonKeys(text: string): readonly JsonKey[] {
  const found: JsonKey[] = []
  const levels: Level[] = []
  let last = ''
  let path = ''
  for (const [token] of text.matchAll(tokens)) {
    const level = levels.at(-1)
    switch (token) {
      case '{':
        levels.push({ path: placeIn(level, path), keys: new Set(), index: 0 })
        break
      case '[':
        levels.push({ path: placeIn(level, path), index: 0 })
        break
      case '}':
      case ']':
        levels.pop()
        break
      case ',':
        if (level !== undefined) level.index++
        break
      case ':': {
        const key: unknown = JSON.parse(last)
        const name = String(key)
        path = level === undefined || level.path === '' ? name : `${level.path}.${name}`
        found.push({ path, isDuplicate: level?.keys?.has(name) === true })
        level?.keys?.add(name)
        break
      }
      default:
        last = token
    }
  }
  return found
}

function placeIn(level: Level | undefined, path: string): string {
  if (level === undefined) return ''
  return level.keys === undefined ? `${level.path}[${level.index}]` : path
}
