/** `workload.rollBack` → `workload-roll-back`: an action as part of an object's name. */
export function dashed(action: string): string {
  return action.replace('.', '-').replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}

/**
 * What executors make carries these, by admission, and nothing that others make does: the id of the
 * intent, and the name of the object that it repeats; a Suspension of that one stops it as well.
 */
export const madeLabels = {
  intent: 'jackstay.dev/intent',
  retries: 'jackstay.dev/retries',
} as const

/** An annotation of the evictions of a drain: the Node. A Suspension of that one stops them. */
export const drainsAnnotation = 'jackstay.dev/drains'

/** How the name of what repeats an object begins, also where that repeats another already. */
export function retriesStem(name: string): string {
  return (name.split('-retry-', 1)[0] ?? name).replaceAll('.', '-').slice(0, retriesStemLength)
}
/** Names are cut to this, to leave room for what follows. */
export const retriesStemLength = 40

/** The generated ClusterRole that holds all an executor needs for an action. */
export function actionRoleName(action: string): string {
  return `jackstay-action-${dashed(action)}`
}
