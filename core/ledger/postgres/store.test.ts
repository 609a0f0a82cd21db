import { after } from 'node:test'
import { runSuitesOn } from '../store/store-builder.ts'
import { postgresLedgers } from './builder.ts'
import { startPostgres } from './server.ts'

// what every store must do, once more on PostgreSQL
const server = await startPostgres()
after(() => server[Symbol.asyncDispose]())
runSuitesOn(postgresLedgers(server))
await import('../store/append.test.ts')
await import('../store/claims.test.ts')
await import('../store/store.test.ts')
await import('../store/triggers.test.ts')
