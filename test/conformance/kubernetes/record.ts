import { up } from '@jackstay/cluster/cluster'
import { connect } from '@jackstay/kube/client'
import { loadConfig } from '@jackstay/kube/config'
import { cases } from './cases.ts'
import { play } from './exchange.ts'
import { keepRecording } from './recordings.ts'

// Asks a real API server everything and writes its answers down: after a new case, or a newer Kubernetes.
const chosen = process.argv.slice(2)
const cluster = await up({ mode: 'control-plane' })
try {
  const { kubeconfig } = cluster
  const client = connect(loadConfig({ kubeconfig }), {
    userAgent: 'jackstay-conformance',
    timeoutMs: 30_000,
  })
  for (const one of cases) {
    if (chosen.length > 0 && !chosen.includes(one.name)) continue
    keepRecording(one.name, await play(one, client))
    process.stdout.write(`recorded ${one.name}\n`)
  }
  await client.close()
} finally {
  await cluster.down()
}
