import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { runInNewContext } from 'node:vm'
import { bundle } from './bundle.ts'
import { nodeCheck } from './programs.ts'
import { rootFolder } from './root.ts'

let folder = ''
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bundle-'))
})
after(() => rm(folder, { recursive: true }))

async function built(files: Readonly<Record<string, string>>): Promise<string> {
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
  return bundle(folder, { name: 'example', entry: './main.ts' })
}

async function output(code: string, environment: NodeJS.ProcessEnv = {}): Promise<string> {
  const path = join(folder, 'example.mjs')
  await writeFile(path, code)
  const env = { ...process.env, XDG_CACHE_HOME: join(folder, 'nowhere'), ...environment }
  return (await promisify(execFile)(process.execPath, [path], { env })).stdout
}

test('a bundle checks its Node before it loads anything', async () => {
  const code = await built({
    'main.ts': "import { DatabaseSync } from 'node:sqlite'\nconsole.log(typeof DatabaseSync)\n",
  })
  assert.equal(code.split('\n')[1], nodeCheck('example'))
  assert.doesNotMatch(code, /^\s*(import|export)\b/m)
  assert.equal(await output(code), 'function\n')
})

test('a program with a first line of its own gets no second one', async () => {
  const code = await built({ 'main.ts': "#!/usr/bin/env node\nconsole.log('ok')\n" })
  assert.equal(code.match(/^#!/gm)?.length, 1)
  assert.equal(await output(code), 'ok\n')
})

test('a bundle reaches modules of Node in every form of import', async () => {
  const code = await built({
    'main.ts': [
      "import path, { join } from 'node:path'",
      "import * as os from 'node:os'",
      "const { readFile } = await import('node:fs/promises')",
      'console.log(path.join === join, typeof os.tmpdir, typeof readFile)',
    ].join('\n'),
  })
  assert.equal(await output(code), 'true function function\n')
})

test('what a program imports by a call travels inside, and is loaded when it is called for', async () => {
  const code = await built({
    'main.ts': [
      "import { say } from './shared.ts'",
      "say('first')",
      "const { second } = await import('./second.ts')",
      'second()',
    ].join('\n'),
    'second.ts':
      "import { say } from './shared.ts'\nsay('loaded')\nexport const second = () => say('second */')\n",
    'shared.ts': "console.log('once')\nexport const say = (text: string) => console.log(text)\n",
  })
  assert.equal(await output(code), 'once\nfirst\nloaded\nsecond */\n')
  const broken = code.replace('export{second}', 'export{ecodns}')
  assert.notEqual(broken, code)
  // the first lines of the program run before the other one is looked at
  await assert.rejects(output(broken), ({ stdout }: { stdout: string }) => stdout.includes('first'))
})

test('a program that would lose the names of what it imports is not bundled', async () => {
  const code = built({
    'main.ts': "const { a } = await import('./old.cjs')\nconsole.log(a)\n",
    'old.cjs': 'exports.a = 1\n',
  })
  await assert.rejects(code, /`old\.cjs` is CommonJS and imported by a call/)
})

test('a worker travels inside the bundle', async () => {
  const code = await built({
    'main.ts': [
      "import { Worker } from 'node:worker_threads'",
      "const worker = new Worker(new URL('./echo-worker.ts', import.meta.url))",
      "worker.once('message', (said) => { console.log(said); worker.terminate() })",
      "worker.postMessage('hello')",
    ].join('\n'),
    'echo-worker.ts': [
      "import { parentPort } from 'node:worker_threads'",
      'const answer = (text: string) => parentPort?.postMessage(`${text} from the worker`)',
      "parentPort?.on('message', answer)",
    ].join('\n'),
  })
  assert.equal(await output(code), 'hello from the worker\n')
})

test('the judge on its own thread travels inside the bundle', async () => {
  const code = await built({
    'main.ts': [
      `import { judgeThread } from '${join(rootFolder, 'core/judge/thread/thread.ts')}'`,
      'const judge = judgeThread()',
      'const rules = [{ name: "r", deny: { when: "1 +" } }]',
      "const spec = { mode: 'enforce' as const, actions: ['*' as const], rules }",
      "const { problems } = await judge.load([{ name: 'p', spec }])",
      'console.log(problems.length, judge.ready())',
      'await judge.close()',
    ].join('\n'),
  })
  assert.equal(await output(code), '1 true\n')
})

test('a comment in a program, and an error with its place, come through', async () => {
  const code = await built({
    'main.ts': [
      "console.log('/* in text */', /a*/.test('b'), '*' + '@/')",
      '/*! a licence */',
      "console.log(new Error('here').stack?.includes('example.mjs?program'))",
    ].join('\n'),
  })
  assert.equal(await output(code), '/* in text */ true *@/\ntrue\n')
})

test('what V8 made of a program is kept, in a folder that is its own and nobody else writes to', async () => {
  const code = await built({ 'main.ts': "console.log('ok')\n" })
  const kept = async (home: string) =>
    (await readdir(home, { recursive: true })).filter((name) => /compiled\/.+\//.test(name)).length
  const own = join(folder, 'own')
  await mkdir(own)
  assert.equal(await output(code, { XDG_CACHE_HOME: own }), 'ok\n')
  assert.equal(await kept(own), 1)
  assert.equal(await output(code, { XDG_CACHE_HOME: own }), 'ok\n')
  assert.equal(await kept(own), 1)
  const shared = join(folder, 'shared')
  await mkdir(shared)
  await chmod(shared, 0o777)
  assert.equal(await output(code, { XDG_CACHE_HOME: shared }), 'ok\n')
  assert.equal(await kept(shared), 0)
})

test('a bundle is read at one byte a character, and reads kubeconfigs', async () => {
  const code = await built({
    'main.ts': [
      `import { loadConfig } from '${join(rootFolder, 'core/kube/config.ts')}'`,
      `import { connect } from '${join(rootFolder, 'core/kube/client.ts')}'`,
      "const client = connect(loadConfig({ kubeconfig: process.env.FILE ?? '' }), { userAgent: 't' })",
      "const read = client.list({ apiVersion: 'v1', resource: 'pods' })",
      'console.log(await read.catch((error) => `${error.code} …`))',
    ].join('\n'),
  })
  assert.ok(!/[\u0080-\uffff]/.test(code))
  assert.ok(!code.includes('V1PodSpec'))
  const file = join(folder, 'kubeconfig')
  const config = {
    clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:1' } }],
    users: [{ name: 'u', user: { token: 't' } }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  }
  await writeFile(file, JSON.stringify(config))
  assert.equal(await output(code, { FILE: file }), 'upstream_unavailable …\n')
})

/** What a bundle does first on the Node of the given version. */
function started(version: string): { said: string[]; code: number | undefined } {
  const result: { said: string[]; code: number | undefined } = { said: [], code: undefined }
  runInNewContext(nodeCheck('example'), {
    process: {
      version: `v${version}`,
      versions: { node: version },
      exit: (code: number) => {
        result.code = code
      },
    },
    console: { error: (line: string) => result.said.push(line) },
  })
  return result
}

test('an old Node is told in one line which one is needed', () => {
  const { said, code } = started('20.19.5')
  assert.equal(code, 1)
  assert.equal(said.length, 1)
  assert.match(said[0] ?? '', /^`example` needs Node.js 24 or newer and this is v20\.19\.5: /)
})

test('a new Node is told nothing', () => {
  assert.deepEqual(started('24.0.0'), { said: [], code: undefined })
})

test('the CLI as a bundle runs no file that happens to lie where a checkout has its lab', async () => {
  const far = join(folder, 'a/b/c')
  await mkdir(far, { recursive: true })
  for (const above of [folder, join(folder, 'a'), join(folder, 'a/b'), far]) {
    await mkdir(join(above, 'lab/incidents'), { recursive: true })
    const planted = `require('node:fs').writeFileSync(${JSON.stringify(join(folder, 'ran'))}, '')`
    await writeFile(join(above, 'lab/incidents/main.ts'), planted)
  }
  const path = join(far, 'jackstay.mjs')
  await writeFile(
    path,
    await bundle(rootFolder, { name: 'jackstay', entry: 'interfaces/cli/main.ts' }),
  )
  const ran = promisify(execFile)(process.execPath, [path, 'lab', 'incidents'])
  await assert.rejects(ran, /part of a checkout of Jackstay and not of this program/)
  assert.ok(!(await readdir(folder)).includes('ran'))
})
