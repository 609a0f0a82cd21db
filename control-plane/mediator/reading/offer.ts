import type { ClusterInfo } from '@jackstay/contract/api'
import type { ClassView } from '../ports.ts'

/**
 * What an agent of a class can ask for at all. A courtesy, so that nobody tries in vain: the gates of
 * the line decide, whatever was shown here (T59).
 */
export function offeredTo(
  { name, spec }: Pick<ClassView, 'name' | 'spec'>,
  info: ClusterInfo,
): ClusterInfo {
  const allowed = spec.autonomy === 'observe' ? [] : spec.actions
  const actions = info.actions.flatMap((action) => {
    const targets = allowed.filter((one) => one.name === action.name).map((one) => one.targets)
    return targets.length > 0 ? [{ ...action, targets }] : []
  })
  return { ...info, class: { name, autonomy: spec.autonomy }, actions }
}
