import { after } from 'node:test'
import { postgresLedgers } from './postgres-builder.ts'
import { startPostgres } from './postgres-server.ts'
import { runSuitesOn } from './store-builder.ts'

// what every store must do, once more on PostgreSQL
const server = await startPostgres()
after(() => server[Symbol.asyncDispose]())
runSuitesOn(postgresLedgers(server))
await import('./store.test.ts')
