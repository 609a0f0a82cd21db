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
  /** A request of this known caller came over it: no stranger makes it go any more. */
  known(connection: Named, caller: string): void
}

/** Of one known caller; more than its places and what a proxy keeps open beside them. */
const mostOfCaller = 64

/**
 * Holds connections to a number. When it is reached, the address with the most connections over which no
 * known caller has spoken loses its oldest: who holds them open to say nothing makes room first. A known
 * caller that holds too many loses its own oldest, so that none takes everybody's (T02, T13).
 */
export function connections(max: number, onClosed: () => void): Connections {
  let open = 0
  const strangers = new Groups()
  const callers = new Groups()
  const close = (groups: Groups, connection: Connection | undefined) => {
    if (connection === undefined) return
    // it tells later that it closed, and until then the next ones would choose it again
    groups.remove(keyOf(connection), connection)
    connection.destroy()
    onClosed()
  }
  return {
    opened(connection) {
      const key = keyOf(connection)
      strangers.add(sourceOf(connection), key, connection)
      open++
      connection.once('close', () => {
        open--
        strangers.remove(key, connection)
        callers.remove(key, connection)
      })
      if (open > max) close(strangers, strangers.oldestOfLargest())
    },
    known(named, caller) {
      const key = keyOf(named)
      const connection = strangers.find(key)
      if (connection === undefined) return
      strangers.remove(key, connection)
      callers.add(caller, key, connection)
      const own = callers.of(caller)
      if (own.size > mostOfCaller) close(callers, own.values().next().value)
    },
  }
}

type Group = Map<string, Connection>

/** Connections by whose they are; of each the oldest first. */
class Groups {
  readonly #groups = new Map<string, Group>()
  readonly #names = new Map<string, string>()

  add(name: string, key: string, connection: Connection): void {
    this.#groups.set(name, this.of(name).set(key, connection))
    this.#names.set(key, name)
  }

  of(name: string): Group {
    return this.#groups.get(name) ?? new Map<string, Connection>()
  }

  find(key: string): Connection | undefined {
    return this.of(this.#names.get(key) ?? '').get(key)
  }

  /** That one alone: an address may be another connection's by now. */
  remove(key: string, connection: Connection): void {
    const name = this.#names.get(key)
    if (name === undefined || this.find(key) !== connection) return
    const group = this.of(name)
    group.delete(key)
    this.#names.delete(key)
    if (group.size === 0) this.#groups.delete(name)
  }

  oldestOfLargest(): Connection | undefined {
    let most: Group | undefined
    for (const group of this.#groups.values()) if (group.size > (most?.size ?? 0)) most = group
    return most?.values().next().value
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
