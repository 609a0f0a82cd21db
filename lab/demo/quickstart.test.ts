import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { programOnPath } from '@jackstay/cluster/on-path'
import { run } from '../shell.ts'
import { Demo, root, running } from './demo-harness.ts'

const patienceMs = 180_000

/** What README says one sees. */
function pictured(): string[] {
  const readme = readFileSync(`${root}README.md`, 'utf8')
  const lines = (readme.match(/^```text\n([\s\S]*?)^```$/m)?.[1] ?? '').split('\n').filter(Boolean)
  assert.ok(lines.length >= 10)
  return lines
}

/** `…` stands for anything. */
function isSeen(line: string, output: string): boolean {
  const [head = '', ...rest] = line.split('…')
  const tail = rest.at(-1) ?? ''
  return output.split('\n').some((one) => one.startsWith(head) && one.endsWith(tail))
}

/*
 * The quickstart as a newcomer types it, on a PATH with Node, npm and a shell and nothing else: no Go, no
 * kubectl, no container engine.
 */
describe('npm start', () => {
  const signal = new AbortController().signal
  let folder = ''
  let env: Record<string, string>
  const demos: Demo[] = []
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'jackstay-quickstart-'))
    await mkdir(join(folder, 'bin'))
    for (const name of ['npm', 'npx', 'node', 'sh']) {
      const path = programOnPath(name)
      assert.ok(path !== undefined, name)
      await symlink(path, join(folder, 'bin', name))
    }
    env = { PATH: join(folder, 'bin') }
  })
  after(async () => {
    for (const one of demos) {
      one.interrupt()
      await one.exited
    }
    await rm(folder, { recursive: true })
  })

  const started = (...flags: string[]) => {
    const one = new Demo(flags, env)
    demos.push(one)
    return one
  }
  const stopped = async (one: Demo) => {
    assert.notDeepEqual(running([folder]), [])
    one.interrupt()
    await one.exited
    assert.match(one.output, /✔ stopping everything/)
    assert.deepEqual(running([folder]), [])
  }
  const typed = async (exports: string, command: string) => {
    const script = `set -eu\nexport ${exports}\ncd ${root}\n${command}`
    const ran = await run(join(folder, 'bin/sh'), ['-c', script], { signal, env })
    assert.equal(ran.code, 0, `${command}\n${ran.stdout}\n${ran.stderr}`)
    return ran.stdout
  }
  const data = () => join(folder, 'data')
  let intent = ''

  it('plays the first incident, and what it says to type works', async () => {
    const one = started('--data', data(), '--seed', 'test')
    const [, exports = ''] = await one.says(/^ {2}export (KUBECONFIG=\S+ .*)$/m, patienceMs)
    intent = exports.match(/INTENT=(\S+)/)?.[1] ?? ''
    assert.match(await typed(exports, 'npx jackstay inbox'), /scale Deployment shop\/web from 0/)
    await typed(exports, 'npx jackstay approve "$INTENT" --yes --reason "web has to serve again"')
    await one.says(/The change verified, and so does the log/, patienceMs)
    await one.says(/Ctrl-C stops everything/, patienceMs)
    for (const line of pictured()) assert.ok(isSeen(line, one.output), line)
    const lines = [...one.output.matchAll(/^ {2}(npx jackstay [^#\n]+?) +# /gm)]
    assert.ok(lines.length >= 5, one.output)
    for (const [, command = ''] of lines) await typed(exports, command)
    await stopped(one)
  })

  it('goes on another time where it ended', async () => {
    const one = started('--data', data())
    await one.says(/Ctrl-C stops everything/, patienceMs)
    assert.doesNotMatch(one.output, /An incident/)
    const [, exports = ''] = await one.says(/^ {2}export (KUBECONFIG=\S+ .*)$/m, patienceMs)
    assert.match(await typed(exports, `npx jackstay why ${intent}`), /verified/)
    assert.match(await typed(exports, 'npx jackstay ledger verify'), /^ok/)
    await stopped(one)
  })

  it('says what keeps it from beginning, with exit code 2, and touches nothing', async () => {
    const port = await new Promise<number>((resolve) => {
      const server = createServer().listen(0, '127.0.0.1', () => {
        const address = server.address()
        resolve(typeof address === 'object' ? (address?.port ?? 0) : 0)
      })
      server.unref()
    })
    const damaged = join(folder, 'damaged')
    const file = join(damaged, 'kubernetes/cluster.db')
    await mkdir(join(damaged, 'kubernetes'), { recursive: true })
    await writeFile(file, 'no database '.repeat(1000))
    const cases: readonly (readonly [RegExp, ...string[]])[] = [
      [/port \d+ is in use/, '--port', String(port)],
      [/does not read: keep a copy and use another folder/, '--data', damaged],
      [/holds something else \(.*\); name an empty folder/, '--data', folder],
      [/there is no incident `nope`; choose one of .*scaled-to-zero, /, '--incident', 'nope'],
      [/error: .*--port/, '--port', 'x'],
      [/error: unknown option/, '--clutser=real'],
      [/only in the lab/, '--cluster=real', '--data', damaged],
    ]
    for (const [words, ...flags] of cases) {
      const one = started('--once', ...flags)
      assert.equal(await one.exited, 2, `${flags.join(' ')}\n${one.output}`)
      assert.match(one.output, words)
      assert.doesNotMatch(one.output, /at .*\.(ts|mjs):/)
    }
    assert.equal(await readFile(file, 'utf8'), 'no database '.repeat(1000))
    assert.deepEqual(await readdir(damaged), ['kubernetes'])
    assert.deepEqual(running([folder]), [])
  })
})
