import { JackstayError } from '@jackstay/contract/errors'

/** The layout of https://c2sp.org/tlog-tiles: where tiles lie and how entries are framed. */

/** Hashes in a full tile, entries in a full bundle. */
export const tileWidth = 256
export const hashSize = 32
export const entryLimit = 0xffff

export interface TileCoordinates {
  readonly level: number | 'entries'
  readonly index: number
  /** 1 to 256; below 256 the tile is partial. */
  readonly width: number
}

/** `tile/0/x001/067.p/5`: thousands in groups, all but the last marked with an x. */
export function tilePath({ level, index, width }: TileCoordinates): string {
  const digits = String(index)
  const groups = digits
    .padStart(Math.ceil(digits.length / 3) * 3, '0')
    .match(/\d{3}/g)
    ?.map((group, i, all) => (i === all.length - 1 ? group : `x${group}`))
  const path = `tile/${level}/${groups?.join('/')}`
  return width === tileWidth ? path : `${path}.p/${width}`
}

/** The inverse of `tilePath`; undefined for every other spelling. */
export function parseTilePath(path: string): TileCoordinates | undefined {
  const match =
    /^tile\/([0-9]|[1-5][0-9]|6[0-3]|entries)\/((?:x\d{3}\/){0,4}\d{3})(?:\.p\/([1-9]\d{0,2}))?$/.exec(
      path,
    )
  if (match === null) return undefined
  const [, level = '', groups = '', width] = match
  const coordinates: TileCoordinates = {
    level: level === 'entries' ? 'entries' : Number(level),
    index: Number(groups.replaceAll(/[x/]/g, '')),
    width: width === undefined ? tileWidth : Number(width),
  }
  return tilePath(coordinates) === path ? coordinates : undefined
}

/** Every tile and bundle of a tree, with the partial ones at its right edge. */
export function* tilesOf(size: number): Generator<TileCoordinates> {
  yield* row('entries', size)
  for (let level = 0, count = size; count > 0; level++, count = Math.floor(count / tileWidth)) {
    yield* row(level, count)
  }
}

function* row(level: number | 'entries', count: number): Generator<TileCoordinates> {
  for (let index = 0; index * tileWidth < count; index++) {
    yield { level, index, width: Math.min(tileWidth, count - index * tileWidth) }
  }
}

/** Hashes (or entries) that tile `index` of `level` has in a tree of `size` leaves; 0 beyond it. */
export function widthOf(level: number, index: number, size: number): number {
  const count = Math.floor(size / tileWidth ** level)
  return Math.max(0, Math.min(tileWidth, count - index * tileWidth))
}

/** Entries one after the other, each behind its length as a big-endian uint16. */
export function encodeBundle(entries: readonly Uint8Array[]): Uint8Array {
  const parts = entries.flatMap((entry) => {
    if (entry.length > entryLimit) {
      throw new JackstayError('too_large', `an entry may have ${entryLimit} bytes`)
    }
    return [Buffer.of(entry.length >> 8, entry.length & 0xff), entry]
  })
  return Buffer.concat(parts)
}

/** The entries of a bundle, or undefined when its lengths do not add up. */
export function decodeBundle(bundle: Uint8Array): readonly Uint8Array[] | undefined {
  const view = new DataView(bundle.buffer, bundle.byteOffset, bundle.byteLength)
  const entries: Uint8Array[] = []
  let at = 0
  while (at < bundle.length) {
    if (at + 2 > bundle.length) return undefined
    const end = at + 2 + view.getUint16(at)
    if (end > bundle.length) return undefined
    entries.push(bundle.subarray(at + 2, end))
    at = end
  }
  return entries
}
