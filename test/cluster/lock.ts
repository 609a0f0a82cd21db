import { createHash } from 'node:crypto'
import { createConnection, createServer, type Server } from 'node:net'

/**
 * Runs `work` while no other process on this machine holds the lock of that name.
 * The lock is a socket in Linux's abstract namespace: the kernel frees it when its holder dies, so it
 * is never stale, and who waits is woken by the end of a connection.
 */
export async function underLock<Result>(
  name: string,
  work: () => Promise<Result>,
  signal?: AbortSignal,
): Promise<Result> {
  const address = `\0jackstay-${createHash('sha256').update(name).digest('hex').slice(0, 32)}`
  const holder = await acquire(address, signal)
  try {
    return await work()
  } finally {
    holder.close()
  }
}

async function acquire(address: string, signal: AbortSignal | undefined): Promise<LockHolder> {
  for (;;) {
    signal?.throwIfAborted()
    const holder = await tryAcquire(address)
    if (holder !== undefined) return holder
    await holderGone(address, signal)
  }
}

type LockHolder = { close(): void }

function tryAcquire(address: string): Promise<LockHolder | undefined> {
  return new Promise((resolve, reject) => {
    const waiting = new Set<{ destroy(): void }>()
    const server: Server = createServer((socket) => {
      waiting.add(socket)
      socket.once('error', () => {})
      socket.once('close', () => waiting.delete(socket))
    })
    const close = () => {
      server.close()
      for (const socket of waiting) socket.destroy()
    }
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error),
    )
    server.listen(address, () => resolve({ close }))
  })
}

function holderGone(address: string, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const socket = createConnection({ path: address, ...(signal === undefined ? {} : { signal }) })
    // refused means that it was freed meanwhile: the caller tries again
    socket.once('error', () => {})
    socket.once('close', () => resolve())
    socket.resume()
  })
}
