import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { areBuilt, goProgram } from '@jackstay/cluster/go-program'
import { outcomeOf } from '@jackstay/cluster/process'
import { verifiers } from '@jackstay/conformance/recipes'
import { jackstay } from '@jackstay/e2e/cli-desk'
import { vkeyOf } from '@jackstay/e2e/ledger-verdict'
import type { Ground } from '../world/ground.ts'

export interface LedgerCheck {
  readonly by: string
  readonly ok: boolean
  readonly said: string
}

/** The whole log, by what people type, from what it exports, and by Go's own library where it is built. */
export async function checkLedger({ w }: Pick<Ground, 'w'>): Promise<LedgerCheck[]> {
  const folder = await mkdtemp(join(tmpdir(), 'jackstay-soak-export-'))
  try {
    const { kubeconfig } = w.cluster
    const type = async (line: readonly string[]): Promise<LedgerCheck> => {
      const options = {
        kubeconfig,
        server: w.plane.mediatorUrl,
        signal: AbortSignal.timeout(180_000),
      }
      const { exit, out, err } = await jackstay(line, options)
      const by = `jackstay ${line.slice(0, 2).join(' ')}`
      return { by, ok: exit === 0, said: (out + err).trim().split('\n')[0] ?? '' }
    }
    const out = join(folder, 'log')
    const checks = [
      await type(['ledger', 'verify']),
      await type(['ledger', 'export', '--out', out]),
    ]
    if (checks.some(({ ok }) => !ok)) return checks
    return [
      ...checks,
      await type(['ledger', 'verify', '--data', out]),
      ...(await byGo(out, await vkeyOf(w))),
    ]
  } finally {
    await rm(folder, { recursive: true })
  }
}

async function byGo(folder: string, vkey: string): Promise<LedgerCheck[]> {
  if (!(await areBuilt([verifiers]))) return []
  const program = await goProgram(verifiers, () => {})
  const { code, stdout, stderr } = await outcomeOf([program, 'log', folder, vkey], {
    signal: AbortSignal.timeout(60_000),
  })
  const by = 'golang.org/x/mod/sumdb/tlog'
  return [{ by, ok: code === 0, said: (code === 0 ? stdout : stderr).trim() }]
}
