import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import {
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { describe, it } from 'node:test'
import { promisify } from 'node:util'
import { loadOrCreateKey } from '@jackstay/ledger/key-file'
import { openStore } from '@jackstay/ledger/store'

const run = promisify(execFile)
const root = new URL('../../', import.meta.url).pathname
const origin = 'jackstay.dev/00000000-0000-4000-8000-000000000000'
const intent = '019a0000-0000-7000-8000-000000000001'

/** Guides that need a folder and no cluster; the others run with the demo. */
const guides = [
  'docs/guide/ledger-care.md',
  'docs/guide/retention.md',
  'docs/guide/policies/README.md',
  'docs/guide/evidence.md',
]

/** A mediator's data directory: one intent that ended, and some leaves around it. */
async function fillData(directory: string): Promise<void> {
  const key = await loadOrCreateKey(directory, origin)
  const store = await openStore({ directory, origin, key, clock: Date })
  const leaf = { kind: 'suspension', data: { time: '2016-11-01T00:00:00Z' } } as const
  await store.appendLeaves(Array.from({ length: 300 }, () => leaf))
  const reasoning = { summary: 'the password is hunter2' }
  await store.append({
    intentId: intent,
    expectedSeq: 0,
    events: [{ type: 'authenticated', at: '2026-11-02T00:00:00Z', data: { reasoning } }],
    leaves: [
      {
        kind: 'decision',
        data: { time: '2026-11-02T00:00:00Z' },
        sealed: { reasoning, params: 1 },
      },
    ],
    phase: 'refused',
    terminal: true,
  })
  await store.close()
}

function blocksOf(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8')
  return [...text.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block = '']) => block)
}

/** What `npx` does with a program of the checkout, without the second it takes to find that out. */
function quickNpx(folder: string): string {
  const bin = join(folder, 'bin')
  mkdirSync(bin)
  const script = `#!/bin/sh\nprogram=$1\nshift\nexec '${root}node_modules/.bin/'"$program" "$@"\n`
  writeFileSync(join(bin, 'npx'), script, { mode: 0o755 })
  return bin
}

it('npx finds the command in a checkout, and its help says what can be typed there', async () => {
  const { stdout } = await run('npx', ['jackstay', '--help'], { cwd: root })
  assert.match(stdout, /^Usage: npx jackstay \[/)
  assert.match(stdout, /\n {2}npx jackstay inbox {3,}what waits/)
})

it('every page that types npx says where: elsewhere it would fetch whatever bears the name', () => {
  const pages = globSync(['README.md', 'docs/**/*.md', 'runbooks/*.md', '*/*/README.md'], {
    cwd: root,
  })
  const silent = pages.filter((page) => {
    const text = readFileSync(join(root, page), 'utf8')
    return /npx jackstay/.test(text) && !/checkout/.test(text)
  })
  // one page speaks for all runbooks
  const speaks = silent.filter(
    (page) => !page.startsWith('runbooks/') || page.endsWith('README.md'),
  )
  assert.ok(pages.includes('docs/guide/evidence.md'))
  assert.deepEqual(speaks, [])
})

it('the reference has an index of every page', () => {
  const folder = join(root, 'docs/reference')
  const index = readFileSync(join(folder, 'README.md'), 'utf8')
  const pages = globSync('*.md', { cwd: folder }).filter((name) => name !== 'README.md')
  assert.ok(pages.length > 5)
  for (const page of pages) assert.ok(index.includes(`](${page})`), page)
})

describe('every command of the guides works as it stands', () => {
  for (const guide of guides) {
    it(guide, async (t) => {
      const folder = mkdtempSync(join(tmpdir(), 'jackstay-guide-'))
      t.after(() => rmSync(folder, { recursive: true }))
      symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
      const data = join(folder, 'data')
      await fillData(data)
      const path = [quickNpx(folder), process.env.PATH].join(delimiter)
      const env = { ...process.env, PATH: path, DATA: data, INTENT: intent }
      const blocks = blocksOf(guide)
      assert.ok(blocks.length > 0)
      for (const block of blocks) {
        await run('bash', ['-euo', 'pipefail', '-c', block], { cwd: folder, env })
      }
    })
  }
})
