import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { freshPrograms } from './fresh.ts'

describe('programs put together for this checkout', () => {
  let folder = ''
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'jackstay-fresh-'))
  })
  after(() => rm(folder, { recursive: true }))

  const out = () => join(folder, 'out')
  const made = async (...names: string[]) => {
    let begun = false
    const programs = names.map((name) => ({ name, entry: join(folder, `${name}.ts`) }))
    await freshPrograms(out(), programs, () => {
      begun = true
    })
    return begun
  }
  const says = async (name: string) => {
    const { stdout } = await promisify(execFile)(process.execPath, [join(out(), `${name}.mjs`)])
    return stdout.trim()
  }
  const write = (name: string, ...lines: string[]) =>
    writeFile(join(folder, name), lines.join('\n'))

  it('are made again where a file of theirs changed, and only then', async () => {
    await write('part.ts', 'export const said: string = "one"')
    await write('main.ts', "import { said } from './part.ts'", 'console.log(said)')
    assert.equal(await made('main'), true)
    assert.equal(await says('main'), 'one')
    assert.equal(await made('main'), false)
    // an older time than the program's, as of a file that was moved there
    await write('part.ts', 'export const said: string = "another"')
    await utimes(join(folder, 'part.ts'), 1, 1)
    assert.equal(await made('main'), true)
    assert.equal(await says('main'), 'another')
    await rm(join(out(), 'main.mjs'))
    assert.equal(await made('main'), true)
    await write('second.ts', 'console.log("second")')
    assert.equal(await made('main', 'second'), true)
    assert.equal(await says('second'), 'second')
  })

  it('know where their sources lie, share what both need, and start their workers', async () => {
    await write(
      'shared.ts',
      '/*! © 🚢 */',
      'export const here = (url: string) => console.log(url, "shared")',
    )
    await write('main.ts', "import { here } from './shared.ts'", 'here(import.meta.url)')
    await write(
      'second.ts',
      "import { Worker } from 'node:worker_threads'",
      "import { here } from './shared.ts'",
      'here("second")',
      "new Worker(new URL('./shout-worker.ts', import.meta.url))",
    )
    await write('shout-worker.ts', "import { here } from './shared.ts'", 'here(import.meta.url)')
    assert.equal(await made('main', 'second'), true)
    const place = (name: string) => pathToFileURL(join(folder, name)).href
    assert.equal(await says('main'), `${place('main.ts')} shared`)
    assert.equal(await says('second'), `second shared\n${place('shout-worker.ts')} shared`)
    // one character beyond Latin-1, and V8 holds all of a file at two bytes each
    for (const name of await readdir(out(), { recursive: true })) {
      if (name.endsWith('.mjs'))
        assert.doesNotMatch(await readFile(join(out(), name), 'utf8'), /[^\n -~]/)
    }
    // and are made again where only a worker changed
    await write('shout-worker.ts', 'console.log("SHOUTED")')
    assert.equal(await made('main', 'second'), true)
    assert.equal(await says('second'), 'second shared\nSHOUTED')
  })

  it('leave no parts behind that no program needs any more, but for a day', async () => {
    const parts = join(out(), 'parts')
    await write('later.ts', 'export const word = "later"')
    await write('main.ts', "const { word } = await import('./later.ts')", 'console.log(word)')
    await made('main')
    const [first = ''] = (await readdir(parts)).filter((name) => name.startsWith('later'))
    await write('later.ts', 'export const word = "much later"')
    await made('main')
    assert.ok((await readdir(parts)).includes(first), 'who runs since before may need it')
    await utimes(join(parts, first), 1, 1)
    await write('later.ts', 'export const word = "last"')
    await made('main')
    assert.ok(!(await readdir(parts)).includes(first))
    assert.equal(await says('main'), 'last')
  })
})
