import { sha256 } from '@jackstay/contract/json'
import type { ChangeWindowSpec } from '@jackstay/contract/kinds/change-window'
import { compileWindow } from '@jackstay/judge/windows'
import type { WindowView } from './window-view.ts'

/** Builders for tests. A window from an instant to an instant, about everything. */
export function onceWindow(
  effect: ChangeWindowSpec['effect'],
  from: string,
  until: string,
  more: Partial<ChangeWindowSpec> = {},
): ChangeWindowSpec {
  return { effect, once: { from, until }, actions: ['*'], namespaces: ['*'], ...more }
}

/** A window as the caches keep it. */
export function viewOf(name: string, spec: ChangeWindowSpec): WindowView {
  const uid = '33333333-3333-4333-8333-333333333333'
  const window = compileWindow({ name, spec })
  return { name, uid, generation: 1, hash: sha256(name), window }
}
