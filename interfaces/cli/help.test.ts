import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { type Command, CommanderError } from 'commander'
import { examples } from './examples.ts'
import { build, run } from './program.ts'
import type { Terminal } from './terminal.ts'
import { version } from './version.ts'

function captured(): { readonly terminal: Terminal; text(): string } {
  let all = ''
  const write = (text: string) => {
    all += text
  }
  const terminal: Terminal = {
    ...{
      env: { USER: 'alice' },
      interactive: false,
      colours: false,
      signal: AbortSignal.timeout(20_000),
    },
    ...{ out: write, err: write, ask: async () => '' },
    input: async function* () {},
  }
  return { terminal, text: () => all }
}

function leaves(command: Command, path: readonly string[] = []): string[] {
  if (command.commands.length === 0) return [path.join(' ')]
  return command.commands.flatMap((child) => leaves(child, [...path, child.name()]))
}

const commands = leaves(build(captured().terminal))

/** The words of a line as a shell would split them, without what stands after them as explanation. */
function words(line: string): string[] {
  const [typed = ''] = line.slice(line.indexOf('jackstay ')).split(/ {2,}/)
  return (typed.match(/'[^']*'|\S+/g) ?? []).slice(1).map((word) => word.replaceAll("'", ''))
}

describe('help', () => {
  it('of every command shows examples and the flags that all take', async () => {
    for (const command of commands) {
      const { terminal, text } = captured()
      assert.equal(await run([...command.split(' '), '--help'], terminal), 0)
      assert.match(text(), /\nExamples:\n/, command)
      assert.match(text(), /Global Options:[\s\S]*--output[\s\S]*--context[\s\S]*--server/, command)
    }
  })

  it('has no example of a command or a flag that does not exist', async () => {
    for (const [path, lines] of Object.entries(examples)) {
      assert.ok(path === '' || commands.includes(path), `examples of \`${path}\``)
      for (const line of lines) await assertParses(line, path)
    }
  })

  it('says its version, which is the package’s', async () => {
    const { terminal, text } = captured()
    assert.equal(await run(['--version'], terminal), 0)
    const manifest = readFileSync(new URL('package.json', import.meta.url), 'utf8')
    assert.equal(text().trim(), version)
    assert.equal(JSON.parse(manifest).version, version)
  })

  it('loads nothing that talks to clusters or judges', () => {
    const main = new URL('main.ts', import.meta.url).pathname
    const told = execFileSync(process.execPath, ['--import', listing, main, '--help'])
    const loaded = told.toString().match(/^loaded .*$/gm) ?? []
    assert.ok(loaded.some((one) => one.endsWith('program.ts')))
    const heavy = loaded.filter((one) =>
      /client-node|undici|bufbuild|node-tls|ledger\/store/.test(one),
    )
    assert.deepEqual(heavy, [])
  })
})

/** Prints what is loaded: a hook, because only the loader knows. */
const listing = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module'
  registerHooks({ load(url, context, next) { process.stdout.write('loaded ' + url + '\\n'); return next(url, context) } })
`)}`

/** Runs the line up to its action, which is not called. */
async function assertParses(line: string, path: string): Promise<void> {
  const { terminal } = captured()
  const program = build(terminal)
  const reached: string[] = []
  program.hook('preAction', (_, action) => {
    for (let at: Command | null = action; at?.parent; at = at.parent) reached.unshift(at.name())
    throw new Error('reached')
  })
  await program.parseAsync(words(line), { from: 'user' }).catch((error: unknown) => {
    const why = error instanceof CommanderError ? error.message : ''
    assert.equal(why, '', `\`${line}\`: ${why}`)
  })
  if (path !== '') assert.equal(reached.join(' '), path, line)
  assert.ok(commands.includes(reached.join(' ')), line)
}
