/** The part of a socket that is looked at. */
export interface Connection {
  readonly remoteAddress?: string | undefined
  readonly remotePort?: number | undefined
  destroy(): unknown
  once(event: 'close', listener: () => void): unknown
}

export interface Connections {
  /** A new one. Where there are too many by now, one is closed, maybe this. */
  opened(connection: Connection): void
  /** A known caller's request came over it: nobody takes it away any more. */
  known(connection: Pick<Connection, 'remoteAddress' | 'remotePort'>): void
}

/**
 * Holds connections to a number. When it is reached, the address with the most connections over which no
 * known caller has spoken loses its oldest: who holds them open to say nothing makes room first (T13).
 */
export function connections(max: number, onClosed: () => void): Connections {
  let open = 0
  /** By address; of each the oldest first. */
  const strangers = new Map<string, Map<string, Connection>>()
  const forget = (source: string, key: string) => {
    const own = strangers.get(source)
    if (own?.delete(key) && own.size === 0) strangers.delete(source)
  }
  const makeRoom = () => {
    let most: Map<string, Connection> | undefined
    for (const own of strangers.values()) if (own.size > (most?.size ?? 0)) most = own
    const [oldest] = most?.values() ?? []
    oldest?.destroy()
    if (oldest !== undefined) onClosed()
  }
  return {
    opened(connection) {
      const source = sourceOf(connection)
      const key = keyOf(connection)
      const own = strangers.get(source) ?? new Map<string, Connection>()
      strangers.set(source, own.set(key, connection))
      open++
      connection.once('close', () => {
        open--
        forget(source, key)
      })
      if (open > max) makeRoom()
    },
    known: (connection) => forget(sourceOf(connection), keyOf(connection)),
  }
}

type Named = Pick<Connection, 'remoteAddress' | 'remotePort'>

export function sourceOf({ remoteAddress }: Named): string {
  return remoteAddress ?? 'unknown'
}

// with TLS the socket of a request is another object than the connection below it
function keyOf({ remoteAddress, remotePort }: Named): string {
  return `${remoteAddress} ${remotePort}`
}
