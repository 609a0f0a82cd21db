import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { blocksOf, Demo, root, running } from '@jackstay/lab/demo-harness'
import { run } from '@jackstay/lab/shell'

/** Blocks that start the quickstart, which has a test of its own, or the whole suite, which runs us. */
const runElsewhere = ['npm ci && npm start\n', 'npm ci && npm test\n']

/** Command lines of processes that belong to this very demo: others may run on the machine. */
function leftovers(output: string): string[] {
  const folder = output.match(/jackstay-demo-\w+/)?.[0]
  const cluster = output.match(/clusters\/demo-[0-9a-f]+\//)?.[0]
  assert.ok(folder !== undefined && cluster !== undefined, output)
  return running([folder, cluster])
}

describe('the demo, as the guide tells it', () => {
  let demo: Demo
  const signal = new AbortController().signal
  before(() => {
    demo = new Demo(['--cluster=real'])
  })
  after(async () => {
    demo.interrupt()
    await demo.exited
  })

  it('waits for an approval, and every command of README and guide works meanwhile', async () => {
    const line = await demo.says(/^ {2}export (KUBECONFIG=\S+ .*)$/m, 15 * 60_000)
    const blocks = ['docs/guide/first-incident.md', 'README.md']
      .flatMap(blocksOf)
      .filter((block) => !runElsewhere.includes(block))
    assert.ok(blocks.length >= 5)
    for (const block of blocks) {
      const script = `set -euo pipefail\nexport ${line[1]}\ncd ${root}\n${block}`
      const ran = await run('bash', ['-c', script], { signal })
      assert.equal(ran.code, 0, `${block}\n${ran.stdout}\n${ran.stderr}`)
      if (block.includes('why')) assert.match(ran.stdout, /replicas: 0 → 2/)
    }
    await demo.says(/The change verified, and so does the log/, 120_000)
    await demo.says(/Ctrl-C stops everything/, 30_000)
  })

  it('stops on Ctrl-C and leaves no process', async () => {
    demo.interrupt()
    // npm ends itself by the same signal once its child is done
    assert.ok([0, 130, null].includes(await demo.exited), demo.output.slice(-2000))
    assert.match(demo.output, /✔ stopping everything/)
    assert.deepEqual(leftovers(demo.output), [])
  })
})

describe('npm start', () => {
  it('refuses an unknown flag or cluster with one clear error', async () => {
    const signal = new AbortController().signal
    for (const flags of [['--clutser=real'], ['--cluster=imaginary']]) {
      const ran = await run('npm', ['start', '--prefix', root, '--', ...flags], { signal })
      assert.notEqual(ran.code, 0)
      assert.match(ran.stderr, /error: /)
      assert.doesNotMatch(ran.stderr, /at .*\.ts:/)
    }
  })
})
