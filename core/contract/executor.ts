/** `workload.rollBack` → `workload-roll-back`: an action as part of an object's name. */
export function dashed(action: string): string {
  return action.replace('.', '-').replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}

/** The generated ClusterRole that holds all an executor needs for an action. */
export function actionRoleName(action: string): string {
  return `jackstay-action-${dashed(action)}`
}
