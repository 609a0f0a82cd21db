import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { planSuites } from './real-cluster.ts'
import { rootFolder } from './root.ts'
import type { Outcome } from './step.ts'

let folder = ''
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'run-tests-'))
})
after(() => rm(folder, { recursive: true }))

/** node:test runs nothing when it is started by itself, hence a process of its own. */
async function outcomeOf(...sources: readonly string[]): Promise<Outcome> {
  const files = sources.map((_, i) => join(folder, `${i}.test.ts`))
  for (const [i, source] of sources.entries()) {
    await writeFile(files[i] ?? '', `import { test } from 'node:test'\n${source}\n`)
  }
  const runner = pathToFileURL(join(rootFolder, 'scripts', 'run-tests.ts')).href
  const script = `import { runTests } from '${runner}'
    const options = { concurrency: 1, timeoutMs: 2000 }
    console.log(JSON.stringify(await runTests(${JSON.stringify(files)}, options)))
    process.exit()`
  const starter = join(folder, 'start.ts')
  await writeFile(starter, script)
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const { stdout } = await promisify(execFile)(process.execPath, [starter], { env })
  return JSON.parse(stdout)
}

test('counts what passed over all files', async () => {
  const outcome = await outcomeOf("test('a', () => {})", "test('b', () => {})\ntest('c', () => {})")
  assert.deepEqual(outcome, { ok: true, passed: 3, failed: 0, skipped: [], output: '' })
})

test('a skip keeps its name and reason', async () => {
  const { ok, skipped } = await outcomeOf("test('a', { skip: 'needs the moon' }, () => {})")
  assert.equal(ok, true)
  assert.equal(skipped.length, 1)
  assert.match(skipped[0]?.name ?? '', /› a$/)
  assert.equal(skipped[0]?.reason, 'needs the moon')
})

test('a todo counts as skipped', async () => {
  const { skipped } = await outcomeOf("test.todo('later')")
  assert.deepEqual(
    skipped.map(({ reason }) => reason),
    ['no reason given'],
  )
})

test('a failure shows the error and what the file printed', async () => {
  const { ok, failed, output } = await outcomeOf(
    "test('a', () => { console.log('a hint'); throw new Error('broken') })",
  )
  assert.equal(ok, false)
  assert.equal(failed, 1)
  assert.match(output, /› a\n.*broken/)
  assert.match(output, /a hint/)
})

test('a file that does not load is a failure', async () => {
  const { ok, failed } = await outcomeOf("import './missing.ts'")
  assert.deepEqual({ ok, failed }, { ok: false, failed: 1 })
})

test('a file that hangs is a failure', async () => {
  const { ok } = await outcomeOf("test('a', () => new Promise(() => setInterval(() => {}, 1000)))")
  assert.equal(ok, false)
})

const suites = {
  unit: [],
  go: [],
  cluster: [join(rootFolder, 'a.e2e.ts')],
  node: ['/b.node.e2e.ts'],
}
const missing = [{ what: 'root', typeInstead: 'sudo' }]

test('without a cluster every end-to-end suite is skipped with what is missing', () => {
  const plan = planSuites(suites, { source: 'none', node: false, missing })
  assert.equal(plan.mode, 'none')
  assert.equal(plan.skipped.length, 2)
  assert.deepEqual(plan.skipped[0], { name: 'a.e2e.ts', reason: 'needs root (sudo)' })
})

test('without a node only the suites that run Pods are skipped', () => {
  const plan = planSuites(suites, { source: 'build', node: false, missing })
  assert.equal(plan.mode, 'control-plane')
  assert.deepEqual(plan.files, suites.cluster)
  assert.equal(plan.skipped.length, 1)
})

test('with a node nothing is skipped', () => {
  const plan = planSuites(suites, { source: 'build', node: true, missing: [] })
  assert.equal(plan.mode, 'node')
  assert.equal(plan.files.length, 2)
  assert.deepEqual(plan.skipped, [])
})
