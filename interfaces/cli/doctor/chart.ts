import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ResourceRef } from '@jackstay/kube/resources'
import { parseAllDocuments } from 'yaml'
import { z } from 'zod'
import { unreadable, usageError } from '../failure.ts'

/** One object as the chart has it. */
export interface Wanted {
  readonly ref: ResourceRef
  /** As people say it: `ClusterRole jackstay-read-logs`. */
  readonly name: string
  /** Where in the folder of the chart it comes from. */
  readonly file: string
  readonly object: Readonly<Record<string, unknown>>
}

/** What lies beside this package in a checkout. */
const ownChart = fileURLToPath(new URL('../../../charts/jackstay', import.meta.url))

const resources: Readonly<Record<string, string>> = {
  Namespace: 'namespaces',
  ServiceAccount: 'serviceaccounts',
  Role: 'roles',
  RoleBinding: 'rolebindings',
  ClusterRole: 'clusterroles',
  ClusterRoleBinding: 'clusterrolebindings',
  CustomResourceDefinition: 'customresourcedefinitions',
  ValidatingAdmissionPolicy: 'validatingadmissionpolicies',
  ValidatingAdmissionPolicyBinding: 'validatingadmissionpolicybindings',
}

const manifest = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), namespace: z.string().optional() }),
})

/**
 * Every object of the chart; the checkout's own unless a folder is named.
 * @throws CommandFailed where the folder holds none, or something else
 */
export async function readChart(named?: string): Promise<Wanted[]> {
  const folder = named ?? ownChart
  const files = await readdir(folder, { recursive: true }).catch((cause: unknown) => {
    if (named !== undefined) throw unreadable(folder, cause)
    // a bundle leaves the checkout alone
    throw usageError(
      'this program brings no chart: name charts/jackstay of the version that is installed with --chart',
    )
  })
  const found: Wanted[] = []
  for (const file of files.filter((name) => name.endsWith('.yaml')).sort()) {
    const text = await readFile(join(folder, file), 'utf8')
    for (const document of parseAllDocuments(text, { version: '1.1' })) {
      found.push(wantedIn(document.toJS(), file))
    }
  }
  if (found.length > 0) return found
  throw usageError(`\`${folder}\` holds no manifests; name the chart's folder with --chart`)
}

function wantedIn(value: unknown, file: string): Wanted {
  const parsed = manifest.safeParse(value)
  const resource = parsed.success ? resources[parsed.data.kind] : undefined
  if (!parsed.success || resource === undefined) {
    throw usageError(`\`${file}\` is none of the chart's files; name its folder with --chart`)
  }
  const { apiVersion, kind, metadata } = parsed.data
  const { name, namespace } = metadata
  return {
    ref: { apiVersion, resource, name, ...(namespace !== undefined && { namespace }) },
    name: `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`,
    file,
    object: parsed.data,
  }
}
