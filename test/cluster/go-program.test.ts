import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { areBuilt, type GoRecipe, goProgram, unbuildable } from './go-program.ts'
import { missingGo } from './go-toolchain.ts'
import { outcomeOf } from './process.ts'
import { unlessCi } from './unless-ci.ts'

const noGo = missingGo()
const withGo = unlessCi(noGo && `needs ${noGo.what} (${noGo.typeInstead})`)

let folder = ''
let cacheBefore: string | undefined
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'jackstay-go-program-'))
  cacheBefore = process.env.XDG_CACHE_HOME
  process.env.XDG_CACHE_HOME = join(folder, 'cache')
})
after(async () => {
  if (cacheBefore === undefined) delete process.env.XDG_CACHE_HOME
  else process.env.XDG_CACHE_HOME = cacheBefore
  await rm(folder, { recursive: true })
})

async function aModule(word: string): Promise<GoRecipe> {
  const module = await mkdtemp(join(folder, 'module-'))
  await writeFile(join(module, 'go.mod'), 'module jackstay.dev/test/example\n\ngo 1.26.0\n')
  await mkdir(join(module, 'word'))
  await writeFile(join(module, 'word', 'word.go'), `package word\n\nconst Word = "${word}"\n`)
  await writeFile(
    join(module, 'main.go'),
    'package main\n\nimport "jackstay.dev/test/example/word"\n\nfunc main() { println(word.Word) }\n',
  )
  return { name: 'example', version: '1', module, target: '.', links: ['twin'], firstTime: 'soon' }
}

test('a program is built once, and again when a file below changes', withGo, async () => {
  const recipe = await aModule('one')
  const steps: string[] = []
  const build = () => goProgram(recipe, ({ state }) => steps.push(state))
  assert.equal(await areBuilt([recipe]), false)
  const first = await build()
  assert.equal((await outcomeOf([first])).stderr, 'one\n')
  assert.equal((await outcomeOf([join(first, '..', 'twin')])).stderr, 'one\n')
  assert.equal(await build(), first)
  assert.equal(steps.filter((state) => state === 'done').length, 1)
  await writeFile(join(recipe.module, 'word', 'word.go'), 'package word\n\nconst Word = "two"\n')
  assert.equal(await areBuilt([recipe]), false)
  assert.equal((await outcomeOf([await build()])).stderr, 'two\n')
})

test('without Go the reason is said, and none where the program is built', async () => {
  const recipe = await aModule('three')
  assert.match((await unbuildable([recipe], { PATH: '/nowhere' })) ?? '', /needs a Go toolchain/)
  assert.equal(await unbuildable([], { PATH: '/nowhere' }), undefined)
})
