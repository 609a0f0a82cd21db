import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { directoryReader } from '@jackstay/ledger/reader'
import { verifyLedger } from '@jackstay/ledger/verify'

/** What `verify-ours.ts DIRECTORY` prints, with the key in `DIRECTORY/vkey`. */
export interface VerifyFigures {
  readonly ok: boolean
  readonly size?: number
  readonly root?: string
  readonly problem?: string
  readonly rssMb: number
}

if (import.meta.main) {
  const [directory = ''] = process.argv.slice(2)
  const vkey = readFileSync(join(directory, 'vkey'), 'utf8')
  const { ok, ...rest } = await verifyLedger({ read: directoryReader(directory), vkey })
  const figures: VerifyFigures = { ok, ...rest, rssMb: process.resourceUsage().maxRSS / 1000 }
  process.stdout.write(JSON.stringify(figures))
}
