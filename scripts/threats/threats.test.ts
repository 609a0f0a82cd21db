import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { findSuites } from '../suites.ts'
import { report } from './report.ts'
import { threats, threatsIn } from './threats.ts'
import type { Trial } from './trials.ts'

/** In a process of its own: node:test runs no files from within a test. */
async function trialsIn(folder: string, file: string): Promise<readonly Trial[]> {
  const starter = join(folder, 'start.ts')
  const door = pathToFileURL(join(import.meta.dirname, 'trials.ts')).href
  const script = `import { trialsOf } from ${JSON.stringify(door)}
    process.stdout.write(JSON.stringify(await trialsOf(${JSON.stringify(file)}, 60_000)))`
  await writeFile(starter, script)
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const { stdout } = await promisify(execFile)(process.execPath, [starter], { env })
  return JSON.parse(stdout)
}

describe('threats', () => {
  it('stand each in the name of a test', async () => {
    const { unit, go, cluster, node } = findSuites()
    const files = [...unit, ...go, ...cluster, ...node].filter(
      (file) => file !== import.meta.filename,
    )
    const texts = await Promise.all(files.map((file) => readFile(file, 'utf8')))
    const named = new Set(
      texts.flatMap((text) =>
        [...text.matchAll(/\b(?:it|test|describe)\(\s*(['"`])(.*?)\1/gs)].flatMap(
          ([, , name = '']) => threatsIn(name),
        ),
      ),
    )
    const missing = threats.filter(({ id }) => !named.has(id))
    assert.deepEqual(
      missing.map(({ id, attack }) => `${id} ${attack}`),
      [],
    )
  })

  it('are found in names, singly and as ranges', () => {
    assert.deepEqual(threatsIn('is refused (T05, T81)'), ['T05', 'T81'])
    assert.deepEqual(threatsIn('executors (T34–T37)'), ['T34', 'T35', 'T36', 'T37'])
    assert.deepEqual(threatsIn('T1 and 2026-01-01T00:00:00Z'), [])
  })

  it('that were not held off, or not tried, are no success', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'jackstay-threats-'))
    const file = join(folder, 'a.test.ts')
    await writeFile(
      file,
      `import { describe, it } from 'node:test'
       describe('suite (T01)', () => {
         it('holds', () => {})
         it('breaks (T02)', () => { throw new Error('broken') })
       })
       it('is skipped (T03)', { skip: 'why not' }, () => {})
       it('is nobody’s', () => {})`,
    )
    const trials = await trialsIn(folder, file)
    await rm(folder, { recursive: true })
    assert.deepEqual(
      trials.map(({ name, ids, outcome }) => [name, ids.join(), outcome]),
      [
        ['suite (T01) › holds', 'T01', 'held'],
        ['suite (T01) › breaks (T02)', 'T01,T02', 'broken'],
        ['suite (T01)', 'T01', 'broken'],
        ['is skipped (T03)', 'T03', 'skipped'],
      ],
    )
    assert.match(report(trials, ['T02']).text, /1 attacks: 0 held off, 1 not, 0 not tried/)
    assert.equal(report(trials, ['T02']).ok, false)
    assert.equal(report(trials, ['T03']).ok, false)
    assert.match(report(trials, ['T04']).text, /not tried/)
  })
})
