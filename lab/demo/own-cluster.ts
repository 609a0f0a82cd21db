import { randomBytes } from 'node:crypto'
import { dirname } from 'node:path'
import { availability, up } from '@jackstay/cluster/cluster'
import { adminOf } from '../admin.ts'
import { oncall } from '../world/people.ts'
import { smallCast } from './demo-objects.ts'
import type { Backstage, Ground } from './ground.ts'
import { NotHere } from './not-here.ts'
import { scaledToZero } from './scaled-to-zero.ts'

/** A real Kubernetes with one node, for this demo alone. @throws NotHere */
export async function ownCluster({ directory, narrator, signal }: Backstage): Promise<Ground> {
  await assertPossible()
  narrator.chapter('A cluster of its own')
  const cluster = await narrator.step('a real Kubernetes with one node', (progress) =>
    up({ name: `demo-${randomBytes(2).toString('hex')}`, mode: 'node', signal }, ({ step }) =>
      progress(step),
    ),
  )
  const client = adminOf(cluster.kubeconfig)
  return {
    install: { client, signal },
    kubectlFolder: dirname(cluster.kubectl),
    cast: smallCast({
      image: 'jackstay.local/app:1',
      ports: [{ containerPort: 8080 }],
      readinessProbe: { httpGet: { path: '/readyz', port: 8080 }, periodSeconds: 1 },
    }),
    ...{ directory, alerts: 'alertmanager' as const, scene: scaledToZero, tries: [] },
    operatorIs: 'a client certificate of this demo cluster',
    writeKubeconfig: (options) => cluster.writeKubeconfig(options),
    operatorKubeconfig: () =>
      cluster.issueKubeconfig({
        name: oncall.user,
        user: oncall.user,
        groups: [oncall.group],
      }),
    clear: async () => {
      await client.close()
      await cluster.down()
    },
  }
}

async function assertPossible(): Promise<void> {
  const { node, source, missing } = await availability()
  if (source !== 'none' && node) return
  const problems = missing.map(({ what, typeInstead }) => `- ${what}\n  ${typeInstead}`)
  throw new NotHere(`This machine lacks something for a real cluster:
${problems.join('\n')}

\`npm start\` alone needs nothing of it. The first start with a real cluster builds Kubernetes from its Go
modules, about ten minutes on two cores; later ones take half a minute. Or in a cluster of yours, which is
afterwards as it was: npm start -- --kubeconfig FILE`)
}
