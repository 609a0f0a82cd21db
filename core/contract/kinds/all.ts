import { actionPolicy } from './action-policy.ts'
import { agentClass } from './agent-class.ts'
import { agentKey } from './agent-key.ts'
import { approval } from './approval.ts'
import { changeWindow } from './change-window.ts'
import { intentObject } from './intent-object.ts'
import type { Kind } from './kind.ts'
import { suspension } from './suspension.ts'

/** Every kind of the API group, in the order a reader meets them. */
export const kinds: readonly Kind[] = [
  agentClass,
  agentKey,
  actionPolicy,
  intentObject,
  approval,
  suspension,
  changeWindow,
]
