import { servesNothing } from '@jackstay/actions/made-job'
import { madeLabels } from '@jackstay/contract/executor'
import { governedLabel } from '@jackstay/contract/kinds/suspension'
import { type Attack, dryRun } from './attack.ts'
import { attempt, passed } from './attempt.ts'
import { type Governed, read, suffix } from './governed.ts'
import type { World } from './world.ts'

/** A Job as the retry of `report` would be, with whatever `spec` adds to its Pods. */
export function jobOf(
  { target: namespace, extra }: Pick<Governed, 'target' | 'extra'>,
  spec: object = {},
  container: object = {},
) {
  const image = 'jackstay.local/none:1'
  const [intent = ''] = extra['jackstay.dev/intent'] ?? []
  const labels = {
    ...{ [governedLabel]: 'true', [madeLabels.intent]: intent, [madeLabels.retries]: 'report' },
  }
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: `report-retry-${suffix()}`, namespace, labels },
    spec: {
      suspend: true,
      template: {
        spec: {
          restartPolicy: 'Never',
          automountServiceAccountToken: false,
          readinessGates: [{ conditionType: servesNothing }],
          containers: [{ name: 'none', image, imagePullPolicy: 'Never', ...container }],
          ...spec,
        },
      },
    },
  }
}

/** What executors try with objects that they make. */
export function madeAttacks(w: World, g: Governed): Record<string, Attack> {
  const volumes = [{ name: 'root', hostPath: { path: '/' } }]
  const jobs = `/apis/batch/v1/namespaces/${g.target}/jobs`
  const made = jobOf(g)
  const at = `${jobs}/${made.metadata.name}`
  return {
    'jackstay-executors-made': {
      attempt: () => attempt(retrier(w, g), 'POST', jobs, jobOf(g, { volumes }), dryRun),
    },
    // somebody's Job that an executor could then stop
    'jackstay-made-jobs-marked': {
      attempt: () => attempt(w.admin, 'POST', jobs, jobOf(g), dryRun),
    },
    'jackstay-executor-fields-job-retry-jobs': {
      attempt: async () => {
        const { uid, resourceVersion } = (await read(w.admin, at)).metadata
        const body = { metadata: { uid, resourceVersion }, spec: { parallelism: 9 } }
        return attempt(retrier(w, g, 'undo'), 'PATCH', at, body, dryRun)
      },
      prepared: async () => {
        passed(await attempt(retrier(w, g), 'POST', jobs, made))
        return async () => passed(await attempt(w.admin, 'DELETE', at))
      },
    },
  }
}

/** The executor of job.retry with every right there is: what is left is the policies. */
export function retrier(w: World, g: Governed, phase?: 'undo') {
  const extra = {
    ...{ ...g.extra, 'jackstay.dev/action': ['job.retry'] },
    ...(phase && { 'jackstay.dev/phase': [phase] }),
  }
  const username = `system:serviceaccount:jackstay-executors:${g.class}`
  return w.admin.as({ username, groups: ['system:masters'], extra })
}
