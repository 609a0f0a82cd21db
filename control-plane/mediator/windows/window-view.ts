import type { Digest } from '@jackstay/contract/json'
import { digestOf } from '@jackstay/contract/json'
import {
  type ChangeWindowSpec,
  changeWindow,
  windowHash,
} from '@jackstay/contract/kinds/change-window'
import { objectOf } from '@jackstay/contract/kinds/kind'
import { type CompiledWindow, compileWindow } from '@jackstay/judge/windows'
import { isRecord, type KubeObject } from '@jackstay/kube/resources'

/** A ChangeWindow as the caches keep it: read once, asked often. */
export interface WindowView {
  readonly name: string
  readonly uid: string
  readonly generation: number
  /** What a break-glass window's Approvals name. */
  readonly hash: Digest
  readonly window: CompiledWindow
}

const everything: ChangeWindowSpec = { effect: 'freeze', actions: ['*'], namespaces: ['*'] }

/**
 * Never throws. A window that does not read is as strict as it could have been meant: one that may
 * freeze or allow shuts everything until it is repaired, one that breaks the glass lifts nothing.
 */
export function windowView(object: KubeObject): WindowView {
  const parsed = objectOf(changeWindow).safeParse(object)
  const { name = '', uid = '', generation = 0 } = object.metadata
  if (parsed.success) {
    const { spec } = parsed.data
    const window = compileWindow({ name, spec })
    return { name, uid, generation, hash: windowHash(spec), window }
  }
  const raw = isRecord(object.spec) ? object.spec : {}
  const [issue] = parsed.error.issues
  const problem = `${issue?.path.join('.') ?? 'the object'} cannot be read: ${issue?.message ?? 'unknown'}`
  const spec: ChangeWindowSpec =
    raw.effect === 'breakGlass' ? { ...everything, effect: 'breakGlass' } : everything
  const window = { name, spec, problem, openings: () => [] }
  return { name, uid, generation, hash: digestOf(problem), window }
}
