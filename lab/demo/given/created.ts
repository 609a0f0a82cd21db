import { appendFileSync, readFileSync } from 'node:fs'
import type { ClusterObjects } from '../../install/cluster-objects.ts'
import { type Applied, installer } from '../../install/install.ts'
import { type Manifest, manifest } from '../../install/manifests.ts'

/** An object that this demo made, and no other of the same name. */
export interface Made {
  readonly manifest: Manifest
  readonly uid: string
}

/**
 * What a demo is about to make and what it made, in a file that outlives its process: should that be
 * killed, the file still says what has to go.
 */
export class Created {
  readonly path: string

  constructor(path: string) {
    this.path = path
    appendFileSync(path, '', { mode: 0o600 })
  }

  /** Before anything is made: none of these was in the cluster. */
  intend(manifests: readonly Manifest[]): void {
    this.#write(
      manifests.map(({ metadata: { name, namespace }, ...type }) => ({
        ...{ apiVersion: type.apiVersion, kind: type.kind },
        metadata: { name, namespace },
      })),
    )
  }

  add(objects: readonly Applied[]): void {
    this.#write(
      objects.map(({ apiVersion, kind, metadata: { name, namespace, uid } }) => ({
        ...{ apiVersion, kind, metadata: { name, namespace, uid } },
      })),
    )
  }

  #write(lines: readonly object[]): void {
    appendFileSync(this.path, lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
  }

  /**
   * Each object once, the newest first. An installer that was interrupted has told nothing: what it
   * made is known by the field manager it wrote as.
   */
  async all(objects: ClusterObjects): Promise<readonly Made[]> {
    const lines = readFileSync(this.path, 'utf8').split('\n').filter(Boolean)
    const made = new Map<string, Made>()
    for (const line of lines) {
      const read = manifest.parse(JSON.parse(line))
      const uid = read.metadata.uid ?? (await uidOfOurs(objects, read))
      if (uid !== undefined) made.set(uid, { manifest: read, uid })
    }
    return [...made.values()].toReversed()
  }
}

async function uidOfOurs(objects: ClusterObjects, wanted: Manifest): Promise<string | undefined> {
  const found = await objects.find(wanted)
  const ours = found?.metadata.managedFields?.some(({ manager }) => manager === installer)
  return ours ? found?.metadata.uid : undefined
}
