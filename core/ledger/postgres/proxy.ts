import { chown, mkdtemp, rm, stat } from 'node:fs/promises'
import { createConnection, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import type { PostgresServer } from './server.ts'

/**
 * What becomes of the next COMMIT: it never arrives; it is done and its answer gets lost; it
 * arrives once the client is gone and `letThrough` is called.
 */
export type Fault = 'lost commit' | 'lost answer' | 'late commit'

export interface PostgresProxy extends AsyncDisposable {
  readonly url: string
  /** Happens to the next COMMIT, and to no other. */
  inject(fault: Fault): void
  /** Refuses new connections and cuts the old ones, or takes them again. */
  reachable(is: boolean): void
  /** Cuts what is connected; whoever comes back reaches this server. */
  leadTo(other: PostgresServer): void
  /** Resolves when a fault has happened to a COMMIT; for a late one, before it is let through. */
  happened(): Promise<void>
  letThrough(): void
  readonly commits: number
}

/** The name of the prepared statement, as Parse and Bind end it. */
const commit = Buffer.from('commit\0')
const socketName = '.s.PGSQL.5432'

/** A unix socket before the one of the server, on which the network fails when a test says so. */
export async function postgresProxy(server: PostgresServer): Promise<PostgresProxy> {
  // Inside the server's folder and as its owner's, so that it goes with it, however the test ends.
  const folder = await mkdtemp(join(server.folder, 'proxy-'))
  const { uid, gid } = await stat(server.folder)
  await chown(folder, uid, gid)
  let fault: Fault | undefined
  let reachable = true
  let target = server
  let commits = 0
  let late: (() => void) | undefined
  let occurred = Promise.withResolvers<void>()
  const sockets = new Set<Socket>()

  const onCommit = (client: Socket, upstream: Socket, chunk: Buffer) => {
    commits++
    const now = fault
    fault = undefined
    if (now === undefined) return upstream.write(chunk)
    upstream.unpipe(client)
    upstream.removeAllListeners('close')
    if (now === 'lost commit') {
      client.destroy()
      upstream.destroy()
    } else if (now === 'late commit') {
      late = () => upstream.end(chunk)
      client.destroy()
    } else {
      upstream.once('data', () => {
        client.destroy()
        upstream.destroy()
        occurred.resolve()
      })
      upstream.resume()
      return upstream.write(chunk)
    }
    occurred.resolve()
    return true
  }

  const proxy = createServer((client) => {
    if (!reachable) return client.destroy()
    const upstream = createConnection(join(target.folder, socketName))
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => socket.destroy())
      socket.once('close', () => sockets.delete(socket))
    }
    upstream.pipe(client)
    upstream.on('close', () => client.destroy())
    client.on('data', (chunk) => {
      if (chunk.includes(commit)) onCommit(client, upstream, chunk)
      else upstream.write(chunk)
    })
    client.on('end', () => upstream.end())
    return client
  })
  proxy.listen(join(folder, socketName))
  await new Promise((resolve) => proxy.once('listening', resolve))
  const url = new URL(server.url)
  url.searchParams.set('host', folder)
  return {
    url: url.href,
    get commits() {
      return commits
    },
    inject(next) {
      fault = next
      occurred = Promise.withResolvers()
    },
    reachable(is) {
      reachable = is
      if (!is) for (const socket of sockets) socket.destroy()
    },
    leadTo(other) {
      target = other
      for (const socket of sockets) socket.destroy()
    },
    happened: () => occurred.promise,
    letThrough: () => late?.(),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => proxy.close(resolve))
      await rm(folder, { recursive: true, force: true })
    },
  }
}
