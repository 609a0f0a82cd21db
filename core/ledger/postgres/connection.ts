import { setTimeout as pause } from 'node:timers/promises'
import { mayPass, Session, told, type Where } from './session.ts'

const firstPauseMs = 20
const longestPauseMs = 1_000

/** A session that comes back after the server or the network was away. */
export class Connection {
  readonly where: Where
  readonly #closing = new AbortController()
  readonly #greet: (session: Session) => Promise<void>
  #session: Session | undefined

  /** `greet` looks at the server behind each new session, which need not be the one before. */
  constructor(where: Where, greet: (session: Session) => Promise<void> = async () => {}) {
    this.where = where
    this.#greet = greet
  }

  /**
   * The session, a new one where the last was lost; tries until `deadline` (`performance.now()`).
   * @throws JackstayError `not_ready` when the time is up, `invalid_config` where trying is no use
   */
  async session(deadline: number): Promise<Session> {
    for (let attempt = 0; ; attempt++) {
      if (this.#session?.lost === false) return this.#session
      try {
        await this.#open()
      } catch (error) {
        if (!mayPass(error) || performance.now() >= deadline || this.#closing.signal.aborted) {
          throw told(error, this.where.target)
        }
        // Jitter, so that the replicas of a program do not all come back in the same moment.
        const wait = Math.min(firstPauseMs * 2 ** attempt, longestPauseMs) * (0.5 + Math.random())
        await pause(wait, undefined, { signal: this.#closing.signal }).catch(() => {})
      }
    }
  }

  async #open(): Promise<void> {
    const before = this.#session
    this.#session = undefined
    await before?.close()
    const session = await Session.open(this.where)
    try {
      await this.#greet(session)
    } catch (error) {
      await session.close()
      throw error
    }
    this.#session = session
  }

  /** Ends the waiting for a server, and the session. */
  async close(): Promise<void> {
    this.#closing.abort()
    await this.#session?.close()
    this.#session = undefined
  }
}
