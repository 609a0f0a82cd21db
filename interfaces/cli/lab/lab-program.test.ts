import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'
import { askLab, changed, incidentList } from './lab-program.ts'

const terminal = () => ({ env: process.env, signal: AbortSignal.timeout(30_000) })

it('the lab’s program tells its incidents', async () => {
  const { incidents } = await askLab(['incidents'], incidentList, terminal())
  assert.ok(incidents.some(({ name, kind }) => name === 'bad-tag' && kind === 'incident'))
})

it('outside a checkout there is no lab, and that is said', async () => {
  const main = '/nowhere/lab/incidents/main.ts'
  await assert.rejects(askLab(['incidents'], incidentList, terminal(), main), /part of a checkout/)
})

it('what the lab refuses keeps its code; an answer that is none is a bug', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'jackstay-lab-program-'))
  t.after(() => rm(folder, { recursive: true }))
  const saying = async (text: string) => {
    const main = join(folder, 'main.mjs')
    await writeFile(main, `process.stdout.write(${JSON.stringify(text)})`)
    return askLab(['break', '--', 'x'], changed, terminal(), main)
  }
  const error = { code: 'not_found', message: 'there is no incident `x`' }
  await assert.rejects(saying(JSON.stringify({ error })), error)
  await assert.rejects(saying('oops'), /ended without an answer/)
  await assert.rejects(saying('{"incident":{}}'), { name: 'ZodError' })
})
