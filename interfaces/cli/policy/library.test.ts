import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { after, describe, it } from 'node:test'
import { PolicyDesk } from './desk.ts'

const desk = new PolicyDesk()
after(() => desk.clean())

const library = new URL('../../../docs/guide/policies/', import.meta.url).pathname

describe('the starter library', () => {
  const names = readdirSync(library).filter((name) => name.endsWith('.yaml'))
  const guide = readFileSync(`${library}README.md`, 'utf8')
  const policies = names.filter((name) => !name.endsWith('.test.yaml'))

  it('has cases beside every policy', () => {
    assert.deepEqual(
      policies.map((name) => name.replace('.yaml', '.test.yaml')),
      names.filter((name) => name.endsWith('.test.yaml')),
    )
    assert.ok(policies.length >= 5)
  })
  it('is listed in its guide', () => {
    for (const name of policies) assert.ok(guide.includes(`| [${name}](${name}) |`), name)
  })
  it('has no mistake and no warning', async () => {
    const { exit, out, err } = await desk.policy('check', library, '-o', 'json')
    assert.deepEqual([exit, err, JSON.parse(out).mistakes], [0, '', []])
  })
  it('passes its own cases, every rule matching in some', async () => {
    const { exit, out, err } = await desk.policy('test', library, '--min-coverage', '100')
    assert.deepEqual({ exit, err }, { exit: 0, err: '' }, out)
  })
})
