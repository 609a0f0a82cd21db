import { storeReader } from '@jackstay/ledger/sqlite-reader'
import { type LedgerVerdict, verifyLedger } from '@jackstay/ledger/verify'
import type { LineWorld } from './line-world.ts'

/** The whole log of the line's mediator, recomputed from its files. */
export async function ledgerVerdict(w: LineWorld): Promise<LedgerVerdict> {
  const read = storeReader(w.plane.dataDirectory)
  try {
    return await verifyLedger({ read, vkey: await vkeyOf(w) })
  } finally {
    read.close()
  }
}

/** The verifier key, as the mediator gives it to readers. */
export async function vkeyOf(w: LineWorld): Promise<string> {
  const { token } = await w.admin.createToken('jackstay-system', 'jackstay-reader', {
    audiences: ['jackstay-read'],
    expirationSeconds: 600,
  })
  const headers = { authorization: `Bearer ${token}` }
  const answer = await fetch(`${w.plane.mediatorUrl}/ledger/vkey`, { headers })
  return (await answer.text()).trim()
}
