import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { generateSkey, ledgerKeyFrom } from '@jackstay/ledger/key'
import { openStore } from '@jackstay/ledger/store'
import type { Clock } from '../ports.ts'

/** A store of its own for a test, gone with it. */
export async function storeFor(t: TestContext, clock: Clock) {
  const directory = await mkdtemp(join(tmpdir(), 'jackstay-store-'))
  const origin = 'jackstay.dev/11111111-1111-4111-8111-111111111111'
  const key = ledgerKeyFrom(generateSkey(origin))
  const store = await openStore({ directory, origin, key, clock })
  t.after(async () => {
    await store.close()
    await rm(directory, { recursive: true })
  })
  return { directory, store }
}
