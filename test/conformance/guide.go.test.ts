import assert from 'node:assert/strict'
import { mkdir, readFile, symlink } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { it } from 'node:test'
import { goProgram, unbuildable } from '@jackstay/cluster/go-program'
import { outcomeOf } from '@jackstay/cluster/process'
import { unlessCi } from '@jackstay/cluster/unless-ci'
import { realLog, subfolder } from './logs.ts'
import { fsck, verifiers } from './recipes.ts'

const root = new URL('../../', import.meta.url).pathname
const intent = '019a0000-0000-7000-8000-000000000001'
const options = unlessCi(await unbuildable([fsck, verifiers]))

it('every command of docs/guide/evidence.md works, with the tools of others', options, async () => {
  await using log = await realLog()
  await log.grow(300)
  await log.store.append({
    intentId: intent,
    expectedSeq: 0,
    events: [{ type: 'ended', at: '2026-11-02T00:00:00Z', data: {} }],
    leaves: [{ kind: 'decision', data: { time: '2026-11-02T00:00:00Z' } }],
    phase: 'refused',
    terminal: true,
  })
  const desk = await subfolder(log, 'desk')
  await symlink(join(root, 'node_modules'), join(desk, 'node_modules'))
  const tools = join(log.root, 'tools')
  await mkdir(tools)
  await symlink(await goProgram(fsck, () => {}), join(tools, 'fsck'))
  await symlink(await goProgram(verifiers, () => {}), join(tools, 'verifiers'))
  const env = {
    ...process.env,
    PATH: `${tools}${delimiter}${process.env.PATH}`,
    ...{ DATA: join(log.root, 'data'), INTENT: intent },
  }
  const text = await readFile(join(root, 'docs/guide/evidence.md'), 'utf8')
  const blocks = [...text.matchAll(/^```(?:sh|bash)\n([\s\S]*?)^```$/gm)].map(
    ([, block = '']) => block,
  )
  assert.equal(blocks.length, 5)
  for (const block of blocks) {
    const command = ['bash', '-euo', 'pipefail', '-c', block]
    const { code, stdout, stderr } = await outcomeOf(command, { cwd: desk, env })
    assert.equal(code, 0, `${block}\n${stdout}${stderr}`)
    if (block.includes('fsck')) assert.match(stdout, /leaf 300 of 301\n301 leaves\n.*size 301/s)
  }
})
