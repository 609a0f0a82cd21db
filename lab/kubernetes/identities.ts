import { createHash, randomBytes } from 'node:crypto'
import type { ObjectStore } from './store/store.ts'

/** The letters of generated names, none of which spells anything. */
export const letters = 'bcdfghjklmnpqrstvwxz2456789'

/** What the server makes up for new objects. */
export interface Identities {
  /** A uid that no object had before. */
  uid(collection: string, namespace: string, name: string): string
  /** A name in a collection that begins so, and that nobody has there. */
  name(collection: string, namespace: string, prefix: string): string
}

type Draw = (what: string, tries: number) => Buffer

/**
 * Drawn by lot; or, with a seed, told by the seed, the place, and how many were named so before. So they do
 * not hang on which of several controllers came first.
 */
export function identities(store: ObjectStore, seed?: string): Identities {
  const draw: Draw = seed === undefined ? () => randomBytes(16) : told(store, seed)
  return {
    uid: (collection, namespace, name) => uuidOf(draw(`${collection}/${namespace}/${name}`, 0)),
    name(collection, namespace, prefix) {
      for (let tries = 0; ; tries++) {
        const bytes = draw(`${collection}/${namespace}/${prefix}*`, tries)
        const suffix = [...bytes.subarray(0, 5)].map((byte) => letters[byte % letters.length])
        const name = `${prefix.slice(0, 58)}${suffix.join('')}`
        if (store.get({ collection, namespace, name }) === undefined) return name
      }
    },
  }
}

/** What is only asked for, and refused or a dry run, counts for nothing. */
function told(store: ObjectStore, seed: string): Draw {
  // a uid never comes again, also where a kept cluster is started with the same seed
  const since = store.revision
  const counts = new Map<string, number>()
  const count = (what: string) => counts.set(what, (counts.get(what) ?? 0) + 1)
  store.listen(({ place: { collection, namespace, name }, before, after }) => {
    if (before !== undefined || after === undefined) return
    count(`${collection}/${namespace}/${name}`)
    const { generateName = '' } = after.metadata
    if (generateName !== '') count(`${collection}/${namespace}/${generateName}*`)
  })
  return (what, tries) => hash(seed, String(since), what, String(counts.get(what) ?? 0), tries)
}

function hash(...of: readonly (string | number)[]): Buffer {
  return createHash('sha256').update(JSON.stringify(of)).digest()
}

function uuidOf(bytes: Buffer): string {
  const hex = bytes.toString('hex')
  const variant = '89ab'[(bytes[8] ?? 0) % 4]
  const [first, second] = [hex.slice(0, 8), hex.slice(8, 12)]
  return `${first}-${second}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

/** A number in [0, 1) that a seed and a name tell; without a seed it is still told by the name. */
export function lot(seed: string | undefined, ...of: readonly string[]): number {
  return hash(seed ?? '', ...of).readUInt32BE(0) / 2 ** 32
}
