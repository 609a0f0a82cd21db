import type { CatalogueEntry } from '@jackstay/actions/action'
import type { RuleProblem } from '@jackstay/judge/rules'
import { granted } from '../clearance/grant.ts'
import type { ClusterView } from '../ports.ts'
import type { CachedClass } from './cluster-caches.ts'
import type { PolicyView } from './policy-view.ts'

interface Report {
  readonly ok: boolean
  readonly message: string
}

/** Apart, what a class lacks; together, whether its agents can get anything done. */
interface ClassReport {
  readonly grant: Report
  readonly valid: Report
  readonly readsOnly: Report
  readonly ready: Report
}

type Catalogue = readonly Pick<CatalogueEntry, 'name'>[]

/** Whether a class is granted, and whether what its spec says can be: both for its conditions. */
export function classReport(
  found: CachedClass,
  cluster: Pick<ClusterView, 'approvalsOf' | 'classes' | 'moreThanReads'>,
  { oneOperator, catalogue }: { readonly oneOperator: boolean; readonly catalogue: Catalogue },
): ClassReport {
  if (found.problem !== undefined) {
    const grant = { ok: false, message: 'it cannot be read, so it grants nothing' }
    const valid = { ok: false, message: found.problem }
    // whose agents it means is not known either
    return together({ valid, grant, readsOnly: { ok: false, message: grant.message } })
  }
  const { granted: ok, message } = granted(found, cluster, oneOperator)
  const { namespace, actions } = found.spec
  const others = cluster
    .classes()
    .filter((one) => one.name !== found.name && one.spec.namespace === namespace)
    .map(({ name }) => `\`${name}\``)
    .sort()
  const shared =
    others.length === 0
      ? []
      : [
          `${listed(others)} claims the namespace \`${namespace}\` too: no agent can enrol there until one class is left; those enrolled before stay in theirs`,
        ]
  const wrong = [
    ...shared,
    ...unknown(
      actions.map(({ name }) => name),
      catalogue,
    ),
  ]
  const wide = cluster.moreThanReads(namespace)
  const aside = cluster.moreThanReads(namespace, 'anywhere')
  const reads =
    aside === undefined
      ? 'its agents hold no more than reads'
      : `its agents hold no more than reads but in one namespace, where nothing is done for the class: ${aside}`
  return together({
    valid: { ok: wrong.length === 0, message: wrong.join('; ') || 'its spec can be followed' },
    grant: { ok, message },
    readsOnly: {
      ok: wide === undefined,
      message:
        wide === undefined ? reads : `${wide}: nothing is done for the class until that is gone`,
    },
  })
}

function together(parts: Omit<ClassReport, 'ready'>): ClassReport {
  const missing = Object.values(parts).find(({ ok }) => !ok)
  return { ...parts, ready: missing ?? { ok: true, message: 'its agents may act' } }
}

/** Whether all that a policy says has an effect. */
export function policyReport(
  { name, spec, problem }: PolicyView,
  problems: readonly RuleProblem[],
  catalogue: Catalogue,
): Report {
  if (problem !== undefined) {
    return { ok: false, message: `it cannot be read, so it denies everything: ${problem}` }
  }
  const mine = problems.filter((p) => p.policy === name).map((p) => `${p.rule}: ${p.message}`)
  const wrong = [...mine, ...unknown(spec.actions, catalogue)]
  return { ok: wrong.length === 0, message: wrong.join('; ') || 'all rules load' }
}

/** A misspelt action is allowed nothing, and what denies it denies nothing. */
function unknown(actions: readonly string[], catalogue: Catalogue): string[] {
  const known = new Set(catalogue.map(({ name }) => name))
  const missing = actions.filter((name) => name !== '*' && !known.has(name))
  if (missing.length === 0) return []
  const named = [...new Set(missing)].map((name) => `\`${name}\``)
  return [`the catalogue has no action ${listed(named)}; see docs/reference/actions.md`]
}

const mostNames = 5

function listed(names: readonly string[]): string {
  const rest = names.length > mostNames ? ` and ${names.length - mostNames} more` : ''
  return names.slice(0, mostNames).join(', ') + rest
}
