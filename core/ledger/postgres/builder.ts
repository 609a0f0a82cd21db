import { randomUUID } from 'node:crypto'
import { generateSkey, ledgerKeyFrom } from '../log/key.ts'
import { type ErasableStore, openStore } from '../store/store.ts'
import { origin, type SuiteLedger } from '../store/store-builder.ts'
import type { PostgresServer } from './server.ts'

export interface PostgresLedger extends SuiteLedger {
  readonly store: ErasableStore
  readonly schema: string
  /** A statement of the server's superuser in this log's schema. */
  edit(sql: string): Promise<void>
  /** One more store on the same log, as another program would open it. */
  another(): Promise<ErasableStore>
}

export interface PostgresLedgerOptions {
  readonly queueLimit?: number
  readonly patienceMs?: number
  /** Another way to the same server. */
  readonly url?: string
}

/** Ledgers on one server, each in a schema of its own, with a database clock that tests move. */
export function postgresLedgers(
  server: PostgresServer,
): (options?: PostgresLedgerOptions) => Promise<PostgresLedger> {
  return async (options = {}) => {
    const schema = `t_${randomUUID().replaceAll('-', '')}`
    const key = ledgerKeyFrom(generateSkey(origin))
    const open = () => openStore({ url: server.url, schema, origin, key, ...options })
    const edit = async (sql: string) => {
      await server.query(`SET search_path = ${schema}; ${sql}; RESET search_path`)
    }
    let time = Date.parse('2026-01-01T00:00:00Z')
    let store = await open()
    await edit(`
      CREATE TABLE test_clock (time bigint); INSERT INTO test_clock VALUES (${time});
      CREATE OR REPLACE FUNCTION now_ms() RETURNS bigint LANGUAGE sql VOLATILE AS
        'SELECT time FROM test_clock'`)
    return {
      ...{ schema, key, edit, another: open },
      singleWriter: false,
      clock: {
        now: () => time,
        advance: async (ms) => {
          time += ms
          await edit(`UPDATE test_clock SET time = ${time}`)
        },
      },
      get store() {
        return store
      },
      async reopen() {
        await store.close()
        store = await open()
        return store
      },
      async [Symbol.asyncDispose]() {
        await store.close()
        await server.query(`DROP SCHEMA ${schema} CASCADE`)
      },
    }
  }
}
