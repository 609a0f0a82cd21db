import { isDeepStrictEqual } from 'node:util'
import { type LabelSelector, labelSelector, selects } from '@jackstay/contract/label-selector'
import { isRecord } from '@jackstay/kube/resources'
import { z } from 'zod'
import type { KubeObject } from '../objects.ts'

const aggregationRule = z.object({ clusterRoleSelectors: z.array(labelSelector).default([]) })

/**
 * The rules of a ClusterRole with an `aggregationRule`: those of all the ClusterRoles that it selects,
 * each once, by name. Undefined where it has none, and so keeps the rules it was written with.
 */
export function aggregatedRules(
  role: KubeObject,
  clusterRoles: readonly KubeObject[],
): readonly unknown[] | undefined {
  if (!isRecord(role.aggregationRule)) return undefined
  const { clusterRoleSelectors } = aggregationRule.parse(role.aggregationRule)
  const byName = clusterRoles
    .filter(({ metadata }) => metadata.name !== role.metadata.name)
    .sort((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1))
  const gathered = clusterRoleSelectors
    .flatMap((selector) => byName.filter((one) => isSelected(selector, one)))
    .flatMap(({ rules }): unknown[] => (Array.isArray(rules) ? rules : []))
  return gathered.filter(
    (rule, index) => gathered.findIndex((one) => isDeepStrictEqual(one, rule)) === index,
  )
}

function isSelected(selector: LabelSelector, { metadata }: KubeObject): boolean {
  return selects(selector, metadata.labels ?? {})
}
