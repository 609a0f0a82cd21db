import { governedLabel } from '@jackstay/contract/kinds/suspension'
import { type Attack, dryRun } from './attack.ts'
import { attempt } from './attempt.ts'
import { type Governed, suffix } from './governed.ts'
import type { World } from './world.ts'

/** A Job as the retry of one would be, with whatever `spec` adds to its Pods. */
export function jobOf(namespace: string, spec: object = {}, container: object = {}) {
  const image = 'jackstay.local/none:1'
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: `retry-${suffix()}`, namespace, labels: { [governedLabel]: 'true' } },
    spec: {
      suspend: true,
      template: {
        spec: {
          restartPolicy: 'Never',
          containers: [{ name: 'none', image, imagePullPolicy: 'Never', ...container }],
          ...spec,
        },
      },
    },
  }
}

/** What executors try with objects that they make. */
export function madeAttacks(w: World, g: Governed): Record<string, Attack> {
  const username = `system:serviceaccount:jackstay-executors:${g.class}`
  const extra = { ...g.extra, 'jackstay.dev/action': ['job.retry'] }
  const executor = w.admin.as({ username, groups: ['system:masters'], extra })
  const volumes = [{ name: 'root', hostPath: { path: '/' } }]
  return {
    'jackstay-executors-made': {
      attempt: () => {
        const jobs = `/apis/batch/v1/namespaces/${g.target}/jobs`
        return attempt(executor, 'POST', jobs, jobOf(g.target, { volumes }), dryRun)
      },
    },
  }
}
