import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { exitCodes } from './exit-codes.ts'

const page = readFileSync(new URL('../../docs/reference/command-line.md', import.meta.url), 'utf8')
const cells = page
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) => line.split('|')[1] ?? '')
const listed = cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, code]) => code))

describe('docs/reference/command-line.md', () => {
  it('lists every exit code, and none that is gone', () => {
    const numbers = listed.filter((code) => /^\d$/.test(code ?? ''))
    assert.deepEqual(numbers, Object.values(exitCodes).map(String))
  })

  it('lists every code that a command gives its own failures', () => {
    const codes = globSync('**/*.ts', { cwd: import.meta.dirname })
      .filter((file) => !file.endsWith('.test.ts'))
      .flatMap((file) => {
        const source = readFileSync(join(import.meta.dirname, file), 'utf8')
        return [...source.matchAll(/CommandFailed\(\s*[\w.]+,\s*'(\w+)'/g)].map(([, code]) => code)
      })
    // those of every program stand on a page of their own
    const errors = readFileSync(new URL('../../docs/reference/errors.md', import.meta.url), 'utf8')
    assert.ok(codes.length > 20)
    for (const code of codes) {
      assert.ok(listed.includes(code) || errors.includes(`| \`${code}\` |`), code)
    }
  })
})
