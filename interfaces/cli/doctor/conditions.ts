import { actionPolicy } from '@jackstay/contract/kinds/action-policy'
import { agentClass } from '@jackstay/contract/kinds/agent-class'
import { changeWindow } from '@jackstay/contract/kinds/change-window'
import type { Kind } from '@jackstay/contract/kinds/kind'
import { suspendedLabel } from '@jackstay/contract/kinds/suspension'
import { systemNamespace } from '@jackstay/contract/namespaces'
import { z } from 'zod'
import { type Finding, note, wrong } from './findings.ts'

/** What each kind says of itself, and by which condition it is fine. */
export const reporting: readonly { readonly kind: Kind; readonly type: string }[] = [
  { kind: agentClass, type: 'Ready' },
  { kind: actionPolicy, type: 'Ready' },
  { kind: changeWindow, type: 'Valid' },
]

const reported = z.object({
  metadata: z.object({ name: z.string(), generation: z.number().default(0) }),
  status: z
    .object({
      observedGeneration: z.number().default(0),
      conditions: z
        .array(z.object({ type: z.string(), status: z.string(), message: z.string().default('') }))
        .default([]),
    })
    .prefault({}),
})

/** Objects that are not fine, by what the mediator wrote on them. */
export function unready(
  { kind, type }: (typeof reporting)[number],
  objects: readonly unknown[],
): Finding[] {
  return objects.flatMap((object) => {
    const { metadata, status } = reported.parse(object)
    const name = `${kind.kind} ${metadata.name}`
    const condition = status.conditions.find((one) => one.type === type)
    if (condition === undefined || status.observedGeneration < metadata.generation) {
      const what = `${name}: no mediator has looked at it as it is now`
      return [wrong(what, 'see that the mediator runs: jackstay status')]
    }
    if (condition.status === 'True') return []
    const next = `kubectl describe ${kind.singular} ${metadata.name}`
    return [wrong(`${name} is not ${type}: ${condition.message}`, next)]
  })
}

const labelled = z.object({
  metadata: z.object({ name: z.string(), labels: z.record(z.string(), z.string()).default({}) }),
})

/** A stop is somebody's decision, and no fault: said, because nothing goes on while it stands. */
export function stopped(namespaces: readonly unknown[]): Finding[] {
  return namespaces.flatMap((object) => {
    const { name, labels } = labelled.parse(object).metadata
    if (!Object.hasOwn(labels, suspendedLabel)) return []
    const all = name === systemNamespace
    const what = `${all ? 'everything' : `the namespace ${name}`} is stopped by the label ${suspendedLabel}`
    return [note(what, all ? 'jackstay resume --all' : `jackstay resume -n ${name}`)]
  })
}
