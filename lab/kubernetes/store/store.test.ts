import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, describe, it } from 'node:test'
import fc from 'fast-check'
import { openDisk } from './disk.ts'
import { ObjectStore, type Unversioned } from './store.ts'

const folders: string[] = []
after(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))))

async function folder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'jackstay-lab-'))
  folders.push(made)
  return made
}

const place = (name: string) => ({ collection: 'configmaps', namespace: 'a', name })
function object(name: string, value = ''): Unversioned {
  const metadata = { name, namespace: 'a', uid: name, creationTimestamp: '2026-01-01T00:00:00Z' }
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { value } }
}

describe('the store', () => {
  it('knows what a collection was after any write it remembers', () => {
    const write = fc.record({ name: fc.constantFrom('a', 'b', 'c'), gone: fc.boolean() })
    fc.assert(
      fc.property(fc.array(write, { maxLength: 30 }), (writes) => {
        const store = new ObjectStore()
        const states = [{ revision: store.revision, list: store.list('configmaps') }]
        for (const { name, gone } of writes) {
          if (gone) store.delete(place(name))
          else store.put(place(name), object(name))
          states.push({ revision: store.revision, list: store.list('configmaps') })
        }
        for (const { revision, list } of states) {
          assert.deepEqual(store.listAt('configmaps', 'a', revision), list)
        }
        assert.equal(store.listAt('configmaps', 'a', store.revision + 1), undefined)
      }),
    )
  })

  it('tells every write in order, and forgets none that it promises', () => {
    const store = new ObjectStore()
    const heard: number[] = []
    const from = store.revision
    const stop = store.listen(({ revision }) => heard.push(revision))
    for (let n = 0; n < 10_000; n++) store.put(place(`x${n % 7}`), object(`x${n % 7}`, String(n)))
    stop()
    assert.equal(heard.length, 10_000)
    assert.equal(store.since(from), undefined)
    const recent = store.revision - 4000
    assert.deepEqual(
      store.since(recent)?.map(({ revision }) => revision),
      heard.slice(-4000),
    )
  })
})

describe('a store on disk', () => {
  it('is as it was after a restart, and remembers no more than that', async () => {
    const directory = await folder()
    const disk = openDisk(directory)
    const store = new ObjectStore(disk)
    store.put(place('kept'), object('kept', 'v'))
    store.put(place('gone'), object('gone'))
    store.delete(place('gone'))
    disk.close()
    const again = openDisk(directory)
    const other = new ObjectStore(again)
    assert.deepEqual(other.list('configmaps'), store.list('configmaps'))
    assert.equal(other.revision, store.revision)
    assert.equal(other.since(store.revision - 1), undefined)
    again.close()
  })

  it('refuses what another lab uses, another version wrote, or is damaged', async () => {
    const directory = await folder()
    const disk = openDisk(directory)
    assert.throws(() => openDisk(directory), /in use by another lab/)
    disk.close()
    const db = new DatabaseSync(join(directory, 'cluster.db'))
    db.exec(`UPDATE meta SET value = 99 WHERE name = 'format'`)
    db.close()
    assert.throws(() => openDisk(directory), /of another version \(99, not 1\)/)
    const broken = await folder()
    await writeFile(join(broken, 'cluster.db'), 'x'.repeat(10_000))
    assert.throws(() => openDisk(broken), /does not read: keep a copy/)
  })
})
