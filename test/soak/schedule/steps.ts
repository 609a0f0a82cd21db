/** Tenants with workloads to change, each with what its class and rules say. */
export const workloadTenants = ['free', 'asking', 'strict', 'proposing', 'observing'] as const
/** `tending` has nodes, Pods and Jobs to look after. */
export const tenantNames = [...workloadTenants, 'tending'] as const
export type TenantName = (typeof tenantNames)[number]

/** What stands in each tenant's namespace to be changed. */
export const workloads = ['web-0', 'web-1', 'web-2', 'web-3'] as const

/** Of no machine: what is said of them is all there is. */
export const nodes = ['jackstay-soak-0', 'jackstay-soak-1'] as const
/** Pods of one StatefulSet, so that a name outlives each of them. */
export const crew = ['crew-0', 'crew-1', 'crew-2', 'crew-3'] as const
/** A Job that has failed, as all that are made from it will. */
export const failedJob = 'report'

/** A change that an agent asks for. */
export interface Wish {
  readonly action: string
  readonly kind: 'Deployment' | 'CronJob' | 'HorizontalPodAutoscaler' | 'Node' | 'Pod' | 'Job'
  readonly name: string
  readonly params: Readonly<Record<string, unknown>>
}

/** What goes wrong without malice. */
export const slips = [
  'no JSON',
  'unknown claim',
  'stale',
  'not yet valid',
  'no such target',
  'wrong kind',
  'bad params',
  'unknown action',
  'another cluster',
  'sent again',
  'two in one',
  'same id, other bytes',
  'two of the same wish',
] as const
export type Slip = (typeof slips)[number]

/** What somebody does who wants to get past the line; threat ids in THREATS. */
export const attacks = [
  'forged signature',
  'no algorithm',
  'stolen token',
  'token without key',
  'enrolment as intent',
  'other tenant',
  'jackstay itself',
  'huge body',
  'deep body',
  'slow body',
  'flood',
  'prototype',
  'duplicate key',
  'write with the token',
  'approve with the token',
  'read of others',
  'forged alert',
  'enrol with the wrong token',
] as const
export type Attack = (typeof attacks)[number]

export type Fault = 'cut' | 'lost answers' | 'too many' | 'broken' | 'slow' | 'watches cut'
export type StopScope = 'class' | 'agent' | 'action' | 'target' | 'namespace'

/** One thing that somebody does, or that happens to somebody. */
export type Step =
  | {
      readonly do: 'ask'
      readonly by: 'http' | 'mcp'
      readonly tenant: TenantName
      readonly wish: Wish
    }
  | { readonly do: 'slip'; readonly slip: Slip; readonly tenant: TenantName; readonly wish: Wish }
  | {
      readonly do: 'attack'
      readonly attack: Attack
      readonly tenant: TenantName
      readonly wish: Wish
    }
  | {
      readonly do: 'kill'
      readonly program: 'mediator' | 'registrar' | 'sidecar'
      readonly downMs: number
    }
  | { readonly do: 'fault'; readonly fault: Fault; readonly share: number; readonly forMs: number }
  | {
      readonly do: 'stop'
      readonly scope: StopScope
      readonly tenant: TenantName
      readonly undo: 'hold' | 'allow'
      readonly wish: Wish
      readonly forMs: number
    }
  | { readonly do: 'rules'; readonly tenant: TenantName; readonly revision: number }
  | { readonly do: 'edit'; readonly tenant: TenantName; readonly wish: Wish; readonly edit: Edit }

/** What people do to targets with their own hands. */
export type Edit =
  | { readonly replicas: number }
  | { readonly annotation: string }
  | { readonly label: string }
  /** Deleted, and made again under its name (T32). */
  | { readonly again: true }

export interface Timed {
  /** Milliseconds after the start. */
  readonly at: number
  readonly step: Step
}
