import { agentClassSpec } from '@jackstay/contract/kinds/agent-class'
import { groupVersion } from '@jackstay/contract/kinds/kind'
import { type KubeClient, statusOf } from '@jackstay/kube/client'
import type { ResourceType } from '@jackstay/kube/resources'
import { z } from 'zod'
import { exitCodes } from '../exit-codes.ts'
import { CommandFailed } from '../failure.ts'
import { type Line, styled, typed } from '../screen.ts'
import { print, printData, type Terminal } from '../terminal.ts'
import type { Wanted } from './chart.ts'
import { reporting, stopped, unready } from './conditions.ts'
import { byRight, type Finding, unseen } from './findings.ts'
import { mayActAsExecutor, mayImpersonate } from './impersonation.ts'
import { installed } from './installed.ts'
import { rightsIn, rightsKinds, rightsOf, widerRights } from './rights.ts'

export interface Examination {
  /** The chart's objects. */
  readonly wanted: readonly Wanted[]
  /** Folder of the chart, as people type it. */
  readonly folder: string
  readonly json: boolean
}

/** Compares the cluster with the chart, and says what is wrong and what to do. */
export async function doctor(
  { wanted, folder, json }: Examination,
  client: KubeClient,
  terminal: Terminal,
): Promise<void> {
  const { signal } = terminal
  const ask = lists(client, signal)
  const findings = byRight([
    ...(await installed(wanted, { client, signal, folder })),
    ...(await rightsFound(ask)),
    ...(await conditionsFound(ask)),
    ...stopped(await ask.of({ apiVersion: 'v1', resource: 'namespaces' })),
    ...ask.unseen,
  ]).sort((a, b) => rank[a.severity] - rank[b.severity] || (a.what < b.what ? -1 : 1))
  const count = (severity: Finding['severity']) =>
    findings.filter((one) => one.severity === severity).length
  const [bad, hidden] = [count('wrong'), count('unseen')]
  if (json) printData(terminal, { objects: wanted.length, findings })
  else print(terminal, lines(findings, wanted.length))
  if (bad > 0) throw new CommandFailed(exitCodes.refused, 'unwell', `${bad} thing(s) are wrong`)
  if (hidden === 0) return
  const message = `nothing is wrong that you may see, and ${hidden} right(s) to see all are missing`
  throw new CommandFailed(exitCodes.unreachable, 'partly_seen', message)
}

const rank: Readonly<Record<Finding['severity'], number>> = { wrong: 0, unseen: 1, note: 2 }

function lines(findings: readonly Finding[], objects: number): Line[] {
  const said = findings.flatMap(({ severity, what, next }, i): Line[] => {
    const mark = severity === 'wrong' ? styled('red', 'wrong') : styled('yellow', severity)
    // what to do about several is said once, after the last of them
    const isLast = findings[i + 1]?.next !== next
    return [[mark, `: ${what}`], ...(isLast ? [['  ', typed(next, 'dim')]] : [])]
  })
  if (findings.some(({ severity }) => severity !== 'note')) return said
  const well = `: ${objects} objects of the chart stand as it says, classes and rules are ready, nobody holds more than they should`
  return [[styled('green', 'well'), well], ...said]
}

interface Lists {
  of(resource: ResourceType): Promise<readonly unknown[]>
  /** What could not be listed. */
  readonly unseen: Finding[]
}

/** A kind that is not there has no objects: that it is missing is said of the chart. Each is listed once. */
function lists(client: KubeClient, signal: AbortSignal): Lists {
  const hidden: Finding[] = []
  const asked = new Map<string, Promise<readonly unknown[]>>()
  const list = async (resource: ResourceType) => {
    const found: unknown[] = []
    try {
      for (let next: string | undefined = ''; next !== undefined; ) {
        const page = await client.list(resource, { signal, ...(next && { continue: next }) })
        found.push(...page.items)
        next = page.continue || undefined
      }
    } catch (error) {
      const code = statusOf(error)?.code
      if (code !== 404 && code !== 403) throw error
      if (code === 403) {
        hidden.push(unseen('list', resource))
      }
    }
    return found
  }
  return {
    unseen: hidden,
    of(resource) {
      const key = `${resource.apiVersion}/${resource.resource}`
      const known = asked.get(key) ?? list(resource)
      asked.set(key, known)
      return known
    },
  }
}

const classObject = z.object({
  metadata: z.object({ name: z.string() }),
  spec: agentClassSpec.pick({ namespace: true }),
})

async function rightsFound(ask: Lists): Promise<Finding[]> {
  const [rolebindings, clusterrolebindings, roles, clusterroles] = await Promise.all(
    rightsKinds.map((resource) => ask.of(rightsIn(resource))),
  )
  const empty: readonly unknown[] = []
  const rights = rightsOf({
    rolebindings: rolebindings ?? empty,
    clusterrolebindings: clusterrolebindings ?? empty,
    roles: roles ?? empty,
    clusterroles: clusterroles ?? empty,
  })
  const listed = await ask.of({ apiVersion: groupVersion, resource: 'agentclasses' })
  const classes = listed.flatMap((one) => {
    const { success, data } = classObject.safeParse(one)
    return success ? [data] : []
  })
  const namespaces = classes.map(({ spec }) => spec.namespace)
  return [
    ...widerRights(rights, namespaces),
    ...mayActAsExecutor(
      rights,
      classes.map(({ metadata }) => metadata.name),
    ),
    ...mayImpersonate(rights),
  ]
}

async function conditionsFound(ask: Lists): Promise<Finding[]> {
  const all = await Promise.all(
    reporting.map(async (one) =>
      unready(one, await ask.of({ apiVersion: groupVersion, resource: one.kind.plural })),
    ),
  )
  return all.flat()
}
