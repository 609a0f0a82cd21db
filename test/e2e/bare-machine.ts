import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { freePorts } from '@jackstay/cluster/ports'
import { type Program, startProgram } from '@jackstay/lab/program'
import { cliServer, forwarder } from './cli-desk.ts'

const root = new URL('../../', import.meta.url).pathname
const manifests = 'docs/guide/install'
const home = '/srv/jackstay'

/** What `npm run build` makes, as far as the guide uses it. */
const bundled: Readonly<Record<string, string>> = {
  mediator: 'control-plane/mediator/main.ts',
  registrar: 'control-plane/registrar/main.ts',
  'kubernetes-read': 'data-plane/tools/kubernetes-read/main.ts',
  sidecar: 'data-plane/sidecar/main.ts',
  'runbook-agent': 'data-plane/agents/runbook/main.ts',
}

/** The machine of the install guide, as a folder: its shell, its home of Jackstay, its systemd. */
export interface BareMachine {
  readonly home: string
  /** By the port that the guide says. */
  readonly ports: Readonly<Record<'7440' | '7441' | '7443', number>>
  /** What is enabled. */
  readonly running: ReadonlyMap<string, Program>
  /** What it printed. @throws when a command of the block fails */
  run(block: string, env: Readonly<Record<string, string>>): Promise<string>
  /** What its services have logged. */
  logs(): Promise<string>
  close(): Promise<void>
}

/**
 * A checkout's charts and guides, with other ports and another home than the guide's, for both may be
 * taken. `npx jackstay` is the checkout's, `npm run build` bundles into this folder, `sudo` changes
 * nobody, and `systemctl` starts what the units say.
 */
export async function bareMachine(kubectl: string, signal: AbortSignal): Promise<BareMachine> {
  const folder = await mkdtemp(join(tmpdir(), 'install-'))
  const at = (...parts: string[]) => join(folder, ...parts)
  const free = await freePorts(3)
  const ports = { 7440: free[0] ?? 0, 7441: free[1] ?? 0, 7443: free[2] ?? 0 }
  const moved = (text: string) =>
    text.replaceAll(home, at('home')).replace(/\b744[013]\b/g, (port) => {
      return String(ports[port === '7440' ? 7440 : port === '7441' ? 7441 : 7443])
    })
  await mkdir(at('bin'))
  await mkdir(at('home'))
  await mkdir(at('units'))
  await symlink(join(root, 'charts'), at('charts'))
  await cp(join(root, manifests), at(manifests), { recursive: true })
  for (const name of await readdir(at(manifests), { recursive: true, withFileTypes: true })) {
    if (!name.isFile()) continue
    const file = join(name.parentPath, name.name)
    await writeFile(file, moved(await readFile(file, 'utf8')))
  }
  const running = new Map<string, Program>()
  const systemd = services({ folder, running, signal })
  const server = await cliServer(async (line) => {
    const err = await systemd(line).then(
      () => '',
      (error: unknown) => `${error instanceof Error ? error.message : String(error)}\n`,
    )
    return { exit: err === '' ? 0 : 1, out: '', err }
  })
  // the bundler of what is shipped, once for all programs
  const build = `
    import { writeFile } from 'node:fs/promises'
    import { bundle } from '${root}scripts/bundle.ts'
    for (const [name, entry] of Object.entries(${JSON.stringify(bundled)})) {
      await writeFile('${at('dist')}/' + name + '.mjs', await bundle('${root}', { name, entry }))
    }`
  await writeFile(at('build.mjs'), build)
  const programs: Readonly<Record<string, string>> = {
    npx: `#!/bin/sh\ntest "$1" = jackstay || exit 127\nshift\nexport NODE_COMPILE_CACHE='${at('compiled')}'\nexec '${process.execPath}' '${root}interfaces/cli/main.ts' "$@"\n`,
    npm: `#!/bin/sh\nset -e\ntest "$*" = 'run build'\nmkdir -p '${at('dist')}'\nexec '${process.execPath}' '${at('build.mjs')}'\n`,
    sudo: `#!/bin/bash\nexec "\${@//'/etc/systemd/system'/'${at('units')}'}"\n`,
    systemctl: `#!${process.execPath}\n${forwarder(server.url, 0)}`,
  }
  for (const [name, text] of Object.entries(programs)) {
    await writeFile(at('bin', name), text, { mode: 0o755 })
  }
  await symlink(kubectl, at('bin', 'kubectl'))
  return {
    ...{ home: at('home'), ports, running },
    async run(block, env) {
      const PATH = [at('bin'), process.env.PATH].join(delimiter)
      const options = { cwd: folder, env: { HOME: folder, ...env, PATH } }
      const command = ['-euo', 'pipefail', '-c', moved(block)]
      return (await promisify(execFile)('bash', command, options)).stdout
    },
    async logs() {
      const names = (await readdir(folder)).filter((name) => name.endsWith('.log'))
      const texts = names.map(async (name) => `${name}:\n${await readFile(at(name), 'utf8')}`)
      return (await Promise.all(texts)).join('\n')
    },
    async close() {
      server.close()
      await Promise.all([...running.values()].map((program) => program.stop()))
      await rm(folder, { recursive: true })
    },
  }
}

interface Systemd {
  readonly folder: string
  readonly running: Map<string, Program>
  readonly signal: AbortSignal
}

/** As much of `systemctl` as the guide types. */
function services({ folder, running, signal }: Systemd) {
  const unit = async (name: string) => readUnit(join(folder, 'units', name))
  const start = async (name: string) => {
    if (name.endsWith('.timer')) return void (await unit(name.replace('.timer', '.service')))
    const { commands, env, oneshot } = await unit(`${name}.service`)
    for (const words of commands) {
      const logFile = join(folder, `${name}.log`)
      const [command = '', first = '', ...args] = words
      // the Node.js on the PATH may be an old one
      const node = command === '/usr/bin/env' && first === 'node'
      const [nodeFlags, main, rest] = node ? split(args) : [[], first, args]
      const program = await startProgram({
        ...{ name, main, args: rest, nodeFlags, logFile, signal },
        command: node ? process.execPath : command,
        env: { ...env, PATH: [join(folder, 'bin'), process.env.PATH].join(delimiter) },
      })
      if (!oneshot) running.set(name, program)
      else if ((await program.exited) !== 0) {
        throw new Error(`${name} failed: ${await readFile(logFile, 'utf8')}`)
      }
    }
  }
  return async ([verb = '', ...words]: readonly string[]): Promise<void> => {
    const names = words.filter((word) => word !== '--now')
    switch (verb) {
      case 'daemon-reload':
        return
      case 'start':
      case 'enable':
        for (const name of names) await start(name)
        return
      case 'disable':
        for (const name of names) await running.get(name)?.stop()
        for (const name of names) running.delete(name)
        return
      default:
        throw new Error(`this systemctl knows no \`${verb}\``)
    }
  }
}

/** The flags of Node.js, the program, and its own flags. */
function split(args: readonly string[]): [string[], string, string[]] {
  const n = args.findIndex((arg) => arg.endsWith('.mjs'))
  return [args.slice(0, n), args[n] ?? '', args.slice(n + 1)]
}

async function readUnit(file: string) {
  const text = (await readFile(file, 'utf8')).replaceAll('\\\n', ' ')
  const values = (key: string) =>
    [...text.matchAll(new RegExp(`^${key}=(.*)$`, 'gm'))].map(([, value = '']) => value)
  return {
    commands: values('ExecStart').map((line) => line.trim().split(/\s+/)),
    env: Object.fromEntries(values('Environment').map((line) => line.split('=', 2))),
    oneshot: values('Type').includes('oneshot'),
  }
}
