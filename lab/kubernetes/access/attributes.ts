import { forbidden, quote, type Status } from '../status.ts'

/** A request for a resource, as rights are judged. Empty text where it has no such part. */
export interface ResourceAttributes {
  readonly verb: string
  readonly group: string
  readonly resource: string
  readonly subresource: string
  readonly namespace: string
  readonly name: string
}

/** Any other request, such as `/metrics`. */
export interface PathAttributes {
  readonly verb: string
  readonly path: string
}

export type Attributes = PathAttributes | ResourceAttributes

/** Attributes with what is left out empty. */
export function onResource(
  given: Pick<ResourceAttributes, 'resource' | 'verb'> & Partial<ResourceAttributes>,
): ResourceAttributes {
  return { group: '', subresource: '', namespace: '', name: '', ...given }
}

/** The API server's 403: what nobody granted, and what was wrong with the grants. */
export function forbiddenRequest(username: string, asked: Attributes, why: string): Status {
  const reason = why === '' ? '' : `: ${why}`
  const text = `${sanitized(sentence(username, asked))}${reason}`
  if ('path' in asked) return forbidden(undefined, '', text)
  return forbidden({ group: asked.group, resource: asked.resource }, asked.name, text)
}

function sentence(username: string, asked: Attributes): string {
  const who = `User ${quote(username)} cannot ${asked.verb}`
  if ('path' in asked) return `${who} path ${quote(asked.path)}`
  const { resource, subresource, group, namespace } = asked
  const what = quote(subresource === '' ? resource : `${resource}/${subresource}`)
  const where = namespace === '' ? 'at the cluster scope' : `in the namespace ${quote(namespace)}`
  return `${who} resource ${what} in API group ${quote(group)} ${where}`
}

/** So that no browser takes the text for HTML. */
function sanitized(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
