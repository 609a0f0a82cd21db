import { openApiDocument, openApiIndex } from '../openapi/documents.ts'
import type { Registry } from '../resources/registry.ts'
import {
  aggregated,
  coreVersions,
  group,
  groupList,
  kubernetesVersion,
  resourceList,
  versionInfo,
} from './discovery.ts'
import { methodNotAllowed, notServed } from './status.ts'
import { isElsewhere } from './unserved.ts'

/** Beyond everything that has a Status. */
export class NoPage extends Error {}

/** An answer that is no JSON. */
export class Plain {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

interface AskedPath {
  readonly path: string
  /** The method in lower case. */
  readonly verb: string
  /** Whether all of discovery is wanted at once. */
  readonly isAggregated: boolean
}

/** What there is under paths that are no resource. @throws ApiError, NoPage */
export function path(asked: AskedPath, registry: Registry): object {
  if (asked.verb !== 'get' && asked.verb !== 'head') throw methodNotAllowed()
  const [root = '', ...rest] = asked.path.split('/').filter((part) => part !== '')
  const found = of(root, rest, asked.isAggregated, registry)
  if (found !== undefined) return found
  if (isElsewhere(root, rest)) throw notServed(`\`${asked.path}\``)
  throw new NoPage()
}

function of(
  root: string,
  rest: readonly string[],
  isAggregated: boolean,
  registry: Registry,
): object | undefined {
  switch (root) {
    case 'version':
      return versionInfo
    case 'api':
      return core(rest, isAggregated, registry)
    case 'apis':
      return groups(rest, isAggregated, registry)
    case 'openapi':
      return openApi(rest, registry)
    case 'healthz':
    case 'livez':
    case 'readyz':
      return new Plain('ok')
    default:
      return undefined
  }
}

function core([version, more]: readonly string[], isAggregated: boolean, registry: Registry) {
  if (version === undefined) return isAggregated ? aggregated(registry, true) : coreVersions
  return more === undefined ? resourceList(registry, '', version) : undefined
}

function groups(
  [name, version, more]: readonly string[],
  isAggregated: boolean,
  registry: Registry,
) {
  if (more !== undefined) return undefined
  if (name === undefined) return isAggregated ? aggregated(registry, false) : groupList(registry)
  return version === undefined ? group(registry, name) : resourceList(registry, name, version)
}

function openApi([version, ...rest]: readonly string[], registry: Registry): object | undefined {
  if (version !== 'v3') return undefined
  const { major, minor } = kubernetesVersion
  return rest.length === 0
    ? openApiIndex(registry)
    : openApiDocument(registry, rest.join('/'), `${major}.${minor}`)
}
