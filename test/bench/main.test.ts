import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { outcomeOf } from '@jackstay/cluster/process'
import { table } from './table.ts'
import { tables } from './tables.ts'
import { timed } from './timed.ts'

const main = fileURLToPath(new URL('./main.ts', import.meta.url))
const bench = (...args: string[]) => outcomeOf([process.execPath, main, ...args])

test('the help names every table', async () => {
  const { code, stdout } = await bench('--help')
  assert.equal(code, 0)
  for (const name of Object.keys(tables)) assert.match(stdout, new RegExp(`^  ${name} `, 'm'))
})

test('a table that there is not is named', async () => {
  const { code, stderr } = await bench('judge', 'nope')
  assert.equal(code, 2)
  assert.match(stderr, /no table `nope`\n\nusage: /)
})

test('what is typed wrong is answered with the usage, before anything is measured', async () => {
  for (const wrong of [['--nope'], ['--rounds', '0', 'judge']]) {
    const { code, stdout, stderr } = await bench(...wrong)
    assert.deepEqual([code, stdout], [2, ''], wrong.join(' '))
    assert.match(stderr, /usage: npm run bench/)
  }
})

test('figures stand below each other', () => {
  const rows = [
    ['', 'a second'],
    ['ours', '1'],
    ['another', '22'],
  ]
  const lines = ['            a second', '  ours             1', '  another         22']
  assert.equal(table(rows), lines.join('\n'))
})

test('the time of a program is its own, and its failure is one', async () => {
  const used = '(({ user, system }) => user + system)(process.cpuUsage())'
  const spin = `while (${used} < 3e5); console.log('done'); console.error('said')`
  const { stdout, stderr, cpuSeconds } = await timed([process.execPath, '-e', spin])
  assert.equal(stdout, 'done\n')
  assert.equal(stderr, 'said')
  assert.ok(cpuSeconds >= 0.29, `${cpuSeconds} s`)
  await assert.rejects(timed(['sh', '-c', 'echo why >&2; exit 3']), /failed with 3:\nwhy/)
})
