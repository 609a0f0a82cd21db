import { at, fieldChanges, same } from '@jackstay/contract/field-changes'
import type { Reason } from '@jackstay/contract/history'
import type { Target } from '@jackstay/contract/intent'
import type { Json } from '@jackstay/contract/json'
import type { ObjectRef, Plan, Reach } from '@jackstay/contract/plan'
import type { Disruption } from '@jackstay/judge/disruption'
import { z } from 'zod'

/** A resource an action works on. */
export interface TargetKind {
  readonly apiVersion: string
  readonly kind: string
  readonly resource: string
  /** Belongs to no namespace; then the object itself carries the label that makes it governed. */
  readonly clusterScoped?: true
}

/**
 * One thing an executor may do to a resource. The action's ClusterRole and the admission policy
 * that holds executors to `mayChange` are both generated from this.
 */
export type WriteRight = PatchRight | OtherRight

export interface PatchRight {
  readonly group: string
  readonly version: string
  readonly resource: string
  readonly verb: 'patch'
  readonly clusterScoped?: true
  /** Dotted fields of the object; everything else in spec and metadata must stay as it is. */
  readonly mayChange: readonly string[]
  /** Of these, annotations of the template that hold a time (RFC 3339) or are absent. */
  readonly times?: readonly string[]
  /** Only of what an executor made for the same intent, and only to take that back. */
  readonly takesBack?: {
    /** Fields of spec, with the one value that each may get. */
    readonly becomes: Readonly<Record<string, boolean>>
  }
}

/** An eviction or a creation; nothing that is there is edited. */
export interface OtherRight {
  readonly group: string
  readonly version: string
  readonly resource: string
  readonly verb: 'evict' | 'create'
}

/** How the API server names each kind of write. */
export const requests = {
  patch: { operation: 'UPDATE', subresource: '' },
  evict: { operation: 'CREATE', subresource: 'eviction' },
  create: { operation: 'CREATE', subresource: '' },
} as const

/** What an intent asks an action to work on; the line has seen to it that a namespace is named. */
export type GivenTarget = Target & { readonly namespace: string }

/** What of the signed intent itself a plan may rest on: it stays the same however often it is made. */
export interface Request {
  /** Its id. */
  readonly intent: string
  /** When it was signed, in seconds since the epoch. */
  readonly signedAt: number
}

/** A resource the control plane must be able to read for the plan, on behalf of the action. */
export interface ReadRight {
  readonly group: string
  readonly resource: string
}

/** An API object as read; the action's own schema says what it relies on. */
export type Observed = { readonly [key: string]: Json }

/** Read access for gathering facts: consistent reads by the control plane, never by the agent. */
export interface FactReader {
  /** The object, or undefined where there is none. */
  get(kind: TargetKind, namespace: string, name: string): Promise<Observed | undefined>
  /** Those of a namespace, with a label selector the matching ones alone. */
  list(kind: TargetKind, namespace: string, labelSelector?: string): Promise<readonly Observed[]>
  /** Those of all namespaces that a field selector names. */
  listEverywhere(kind: TargetKind, fieldSelector: string): Promise<readonly Observed[]>
}

export interface Refusal {
  readonly refused: Reason
  readonly message: string
}

/** What an action computes: the part of a Plan that it alone knows. */
export type ActionPlan = Pick<
  Plan,
  'summary' | 'target' | 'reads' | 'writes' | 'reversibility' | 'observed' | 'notes'
> & {
  readonly blastRadius: Reach
  /** Whose Pods it touches; the line looks up what stands around them. */
  readonly disrupts: readonly Disruption[]
}

/** How a change looks at one moment: `broken` ends the watching at once. */
export type Progress =
  | { readonly state: 'holds'; readonly message: string }
  | { readonly state: 'pending'; readonly message: string }
  | { readonly state: 'broken'; readonly message: string }

/**
 * One entry of the catalogue. `gather` reads, everything else is pure over what it read, so a plan
 * can be computed again at dispatch and compared byte for byte.
 */
export interface Action<Params, Facts> {
  readonly name: string
  /** For agents and people, one or two sentences. */
  readonly description: string
  /** For people: what taking it back does not bring back. */
  readonly cannotRestore: string
  /** For people: what its success test waits for. */
  readonly success: string
  readonly params: z.ZodType<Params>
  readonly targets: readonly TargetKind[]
  readonly writes: readonly WriteRight[]
  readonly reads: readonly ReadRight[]
  /** Default deadline of the success test, in seconds. */
  readonly verifySeconds: number
  /** All its writes together, from the first attempt on; as long as `verifySeconds` where absent. */
  readonly executeSeconds?: number
  gather(target: GivenTarget, read: FactReader, params: Params): Promise<Facts | Refusal>
  plan(params: Params, facts: Facts, request: Request): ActionPlan | Refusal
  /** The success test over the target as it is now, or undefined where it is gone. */
  progress(plan: Plan, target: Observed | undefined): Progress
  /**
   * Between the writes of a plan that makes several, and with its success test: why it must not go
   * on, or undefined. For what nobody planned may turn up meanwhile.
   */
  unplanned?(plan: Plan, read: FactReader): Promise<string | undefined>
  /** The success test where it takes more than the target; in place of `progress`. */
  watch?(plan: Plan, read: FactReader): Promise<Progress>
}

/** The same with its types closed over: what the catalogue holds and the line calls. */
export interface CatalogueEntry {
  readonly name: string
  readonly description: string
  /** For people: what taking it back does not bring back. */
  readonly cannotRestore: string
  /** For people: what its success test waits for. */
  readonly success: string
  readonly params: z.ZodType
  readonly targets: readonly TargetKind[]
  readonly writes: readonly WriteRight[]
  readonly reads: readonly ReadRight[]
  readonly verifySeconds: number
  readonly executeSeconds?: number
  /** Validates the parameters, gathers facts and plans. */
  prepare(
    target: GivenTarget,
    params: unknown,
    read: FactReader,
    request: Request,
  ): Promise<ActionPlan | Refusal>
  progress(plan: Plan, target: Observed | undefined): Progress
  unplanned?(plan: Plan, read: FactReader): Promise<string | undefined>
  watch?(plan: Plan, read: FactReader): Promise<Progress>
}

export function isRefusal(value: object): value is Refusal {
  return 'refused' in value
}

export function defineAction<Params, Facts extends object>(
  action: Action<Params, Facts>,
): CatalogueEntry {
  return {
    ...action,
    prepare: async (target, params, read, request) => {
      const parsed = action.params.safeParse(params)
      if (!parsed.success) {
        const [issue] = parsed.error.issues
        const path = issue?.path.join('.') ?? ''
        return {
          refused: 'invalid_params',
          message: `params.${path}: ${issue?.message ?? 'invalid'}`,
        }
      }
      const facts = await action.gather(target, read, parsed.data)
      return isRefusal(facts) ? facts : action.plan(parsed.data, facts, request)
    },
  }
}

/** How a reading names its object: `<Kind> <namespace>/<name> <uid>`. */
export function nameOf(ref: ObjectRef): string {
  return `${ref.kind} ${ref.namespace ?? ''}/${ref.name} ${ref.uid}`
}

/** Why the target is no longer as the write left it, or undefined while everything stands. */
export function overtaken(plan: Plan, object: Observed | undefined): string | undefined {
  const { kind, uid } = plan.target
  if (object === undefined) return `the ${kind} is gone`
  if (at(object, '/metadata/uid') !== uid) {
    return `the ${kind} was replaced by another of the same name`
  }
  const own = plan.writes.filter((w) => w.verb === 'patch' && w.object.uid === uid)
  const changes = own.flatMap(fieldChanges)
  const moved = changes.find(({ path, after }) => !same(at(object, path), after))
  return moved && `somebody changed ${moved.path} meanwhile`
}

const param = z.looseObject({
  type: z.string().default('object'),
  description: z.string().default(''),
})
const paramsSchema = z.looseObject({
  properties: z.record(z.string(), param).default({}),
  required: z.array(z.string()).default([]),
})

/** The parameters of an action one by one, for its page. */
export function paramsOf({ params }: CatalogueEntry) {
  const { properties, required } = paramsSchema.parse(z.toJSONSchema(params))
  return Object.entries(properties).map(([name, { type, description }]) => ({
    ...{ name, type, description, required: required.includes(name) },
  }))
}
