import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { chmod, chown, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { launched } from './launcher.ts'

const run = promisify(execFile)
let room: string
before(async () => {
  room = await mkdtemp(join(tmpdir(), 'jackstay-launcher-'))
})
after(() => rm(room, { recursive: true }))

let homes = 0
/** A home that is nobody else's to write to. */
async function aHome(): Promise<string> {
  const home = join(room, `home-${++homes}`)
  await mkdir(home, { mode: 0o700 })
  return home
}

/** What a program prints when it is started as it leaves the build. */
async function printed(program: string, home: string, cache?: string): Promise<string> {
  const file = join(await mkdtemp(join(room, 'program-')), 'program.mjs')
  await writeFile(file, launched(program))
  const { PATH = '' } = process.env
  const env = { PATH, HOME: home, ...(cache !== undefined && { XDG_CACHE_HOME: cache }) }
  const { stdout } = await run(process.execPath, [file], { env })
  return stdout
}

/** Where what V8 made of programs is kept; nothing where it is not. */
async function keptIn(cache: string): Promise<readonly string[]> {
  const folder = join(cache, 'jackstay', 'compiled')
  return readdir(folder, { recursive: true }).catch(() => [])
}

const small = "console.log('it runs')"

describe('a program in its launcher', () => {
  const texts: [string, string][] = [
    ['comments, and what looks like their end', "/* a */ console.log('*/', /x*/.source) /** b **/"],
    ['what surrounds it there', 'console.log(`/*program\n` + `\nprogram*/\n`)'],
    ['characters of all sizes', "console.log('ä ß €', '🚢', `–`) // © ünïcödé 🚢"],
    ['escapes of its own', "console.log('\\u00e4', '\\x01', String.raw`\\n`, '$&', \"$'\")"],
    ['an await of its own, and exports', 'export const a = await 1\nconsole.log(a)'],
  ]
  for (const [what, program] of texts) {
    it(`runs as it is with ${what}`, async () => {
      const plain = join(await mkdtemp(join(room, 'plain-')), 'plain.mjs')
      await writeFile(plain, program)
      const { stdout } = await run(process.execPath, [plain])
      assert.ok(stdout.length > 1)
      assert.equal(await printed(program, await aHome()), stdout)
    })
  }

  it('is one file in ASCII, whatever stands in it', () => {
    const whole = launched("console.log('ä 🚢')")
    assert.deepEqual(
      [...whole].filter((c) => c > '~'),
      [],
    )
  })

  it('is refused where it has in it what stands for the end of a comment', () => {
    assert.throws(() => launched("console.log('*\x01/')"), /has in it what stands for `\*\/`/)
    assert.doesNotThrow(() => launched("console.log('\\x01')"))
  })

  it('fails as it would alone', async () => {
    const failing = printed("throw new TypeError('of its own')", await aHome())
    await assert.rejects(failing, /TypeError: of its own/)
  })

  it('knows by which file and arguments it was started', async () => {
    const told = 'console.log(process.argv.length, process.argv[1].endsWith("program.mjs"))'
    assert.equal(await printed(told, await aHome()), '2 true\n')
  })
})

describe('what V8 made of a program', () => {
  it('is kept in a folder of ones own, and used from there', async () => {
    const home = await aHome()
    const cache = join(home, '.cache')
    assert.equal(await printed(small, home), 'it runs\n')
    const kept = await keptIn(cache)
    assert.ok(kept.length > 0, 'something is kept')
    assert.equal(await printed(small, home), 'it runs\n')
    const named = await aHome()
    assert.equal(await printed(small, home, named), 'it runs\n')
    assert.ok((await keptIn(named)).length > 0, 'where XDG_CACHE_HOME says')
  })

  const others: [string, (home: string) => Promise<void>][] = [
    ['a home that others may write to', (home) => chmod(home, 0o777)],
    ['a home that its group may write to', (home) => chmod(home, 0o770)],
    [
      'a cache that others may write to',
      async (home) => {
        await mkdir(join(home, '.cache'))
        await chmod(join(home, '.cache'), 0o777)
      },
    ],
    [
      'a folder in it that others may write to',
      async (home) => {
        await mkdir(join(home, '.cache', 'jackstay', 'compiled'), { recursive: true })
        await chmod(join(home, '.cache', 'jackstay', 'compiled'), 0o777)
      },
    ],
    [
      'one of ones own within what others may write to',
      async (home) => {
        await mkdir(join(home, '.cache', 'jackstay', 'compiled'), { recursive: true })
        await chmod(join(home, '.cache'), 0o777)
      },
    ],
    [
      'a link to a folder elsewhere',
      async (home) => {
        await mkdir(join(home, 'elsewhere'))
        await mkdir(join(home, '.cache'))
        await symlink(join(home, 'elsewhere'), join(home, '.cache', 'jackstay'))
      },
    ],
    ['no home at all', (home) => rm(home, { recursive: true })],
  ]
  // nobody but root may give a folder away
  if (process.getuid?.() === 0) {
    others.push([
      'a folder of somebody else',
      async (home) => {
        await mkdir(join(home, '.cache', 'jackstay', 'compiled'), { recursive: true })
        await chown(join(home, '.cache', 'jackstay', 'compiled'), 65534, 65534)
      },
    ])
  }
  for (const [what, make] of others) {
    it(`is not kept in ${what}, and the program runs all the same`, async () => {
      const home = await aHome()
      await make(home)
      assert.equal(await printed(small, home), 'it runs\n')
      assert.deepEqual(await keptIn(join(home, '.cache')), [])
      assert.deepEqual(await keptIn(join(home, 'elsewhere')), [])
    })
  }
})
