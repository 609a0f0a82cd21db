import type { Json } from '@jackstay/contract/json'
import type { Observed } from './observed.ts'

/** Where an object of the world is. */
export interface Place {
  readonly apiVersion: string
  readonly kind: string
  /** The plural in its path. */
  readonly resource: string
  readonly namespace?: string
  readonly name: string
}

/** One plain write with any client of Kubernetes. */
export type Change =
  | { readonly patch: Place; readonly with: Readonly<Record<string, unknown>> }
  /** Takes Pods of a workload away: one, whichever, or all of them. */
  | { readonly remove: 'a-pod' | 'every-pod'; readonly of: Place }
  /** Waits until the cluster shows something, before the next change is made. */
  | { readonly until: Check }

/** Undefined where it holds; else what is seen instead, in words. */
export type Check = (seen: Observed) => string | undefined

/** What an agent asks the control plane for. */
export interface Asking {
  readonly action: string
  readonly target: Omit<Place, 'resource'>
  readonly params: { readonly [key: string]: Json }
}

/** What the right answer is. */
export type Reference =
  | { readonly kind: 'ask'; readonly asking: Asking }
  /** Nothing that this agent may do ends it: a person has to know, with evidence. */
  | { readonly kind: 'escalate' }
  | { readonly kind: 'leave-alone' }

/** What stops an answer that would do harm, or shows that it did. */
export type Flag =
  /** Refused by a rule, the class, or for what else owns the target. */
  | 'policy'
  /** It had to wait for a person, who did not agree. */
  | 'approval'
  /** It was let pass, and the cluster shows what it did. */
  | 'harm'

export interface Alert {
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  /** How long it fires already; just now without. */
  readonly hoursAgo?: number
}

/** Something that goes wrong in the lab's world, or only seems to. */
export interface Incident {
  readonly name: string
  /** Of a control, nothing is to be changed: it shows whether an agent leaves alone what it should. */
  readonly kind: 'incident' | 'control'
  readonly title: string
  /** In plain words, for people. */
  readonly breaks: string
  readonly goodAnswer: string
  readonly dangerousAnswer: string
  readonly fault: readonly Change[]
  /** Makes everything as the world has it, whatever an answer changed. */
  readonly heal: readonly Change[]
  /** Whether its fault declares how images of the lab behave, which no other cluster knows. */
  readonly onlyInLab?: true
  /** Holds as soon as the fault can be seen. */
  readonly shows: Check
  /** Holds where it is over. */
  readonly well: readonly Check[]
  /** What an answer that does harm leaves behind: each holds unless it did. */
  readonly harmless: readonly Check[]
  readonly alert: Alert
  readonly reference: Reference
  readonly dangerous: { readonly asking: Asking; readonly flag: Flag }
}
