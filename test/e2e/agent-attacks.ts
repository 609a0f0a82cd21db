import { type Attack, dryRun } from './attack.ts'
import { attempt } from './attempt.ts'
import { bindingOf, type Governed, suffix } from './governed.ts'
import type { World } from './world.ts'

const rbac = '/apis/rbac.authorization.k8s.io/v1'

/** What agents try, and what others try for them. */
export function agentAttacks(w: World, g: Governed): Record<string, Attack> {
  const account = { namespace: g.namespace, name: g.agent }
  const core = `/api/v1/namespaces/${g.target}`
  return {
    'jackstay-agents-write-nothing': {
      attempt: () => {
        const agent = `system:serviceaccount:${g.namespace}:${g.agent}`
        const client = w.admin.as({ username: agent, groups: ['system:masters'] })
        const configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' } }
        return attempt(client, 'POST', `${core}/configmaps`, configMap, dryRun)
      },
    },
    'jackstay-agents-bound': {
      attempt: () => {
        const path = `${rbac}/namespaces/${g.target}/rolebindings`
        return attempt(w.admin, 'POST', path, bindingOf('x', 'view', account, g.target), dryRun)
      },
    },
    'jackstay-read-roles-read': {
      attempt: () =>
        attempt(
          w.admin,
          'POST',
          `${rbac}/clusterroles`,
          {
            ...{ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole' },
            metadata: { name: `jackstay-read-${suffix()}` },
            rules: [{ apiGroups: [''], resources: ['secrets'], verbs: ['get'] }],
          },
          dryRun,
        ),
    },
  }
}
