/** May do everything; no rule can take it away. */
export const privilegedGroup = 'system:masters'
export const authenticated = 'system:authenticated'
export const unauthenticated = 'system:unauthenticated'
export const anonymous = 'system:anonymous'

const serviceAccountPrefix = 'system:serviceaccount:'
const nodePrefix = 'system:node:'
const label = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/
const subdomain =
  /^(?=.{1,253}$)[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/

export function serviceAccountName(namespace: string, name: string): string {
  return `${serviceAccountPrefix}${namespace}:${name}`
}

export function serviceAccountGroups(namespace: string): readonly string[] {
  return ['system:serviceaccounts', `system:serviceaccounts:${namespace}`]
}

/** The service account that a user name is of, if it is one's. */
export function serviceAccountOf(
  username: string,
): { readonly namespace: string; readonly name: string } | undefined {
  if (!username.startsWith(serviceAccountPrefix)) return undefined
  const [namespace = '', name = '', ...more] = username
    .slice(serviceAccountPrefix.length)
    .split(':')
  if (more.length > 0 || !label.test(namespace) || !subdomain.test(name)) return undefined
  return { namespace, name }
}

/** The node that a user name is of, if it is one's. */
export function nodeOf(username: string): string | undefined {
  if (!username.startsWith(nodePrefix)) return undefined
  const name = username.slice(nodePrefix.length)
  return subdomain.test(name) ? name : undefined
}
