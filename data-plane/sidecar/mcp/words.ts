import type { ReadVerb } from '@jackstay/contract/reads'
import { reads } from '@jackstay/contract/reads'
import { actionName } from '@jackstay/contract/text'

/** Names of tools: an action's with its dot as underscore, a read's behind `kubernetes_`. */
export const listTriggers = 'list_triggers'
export const awaitOutcome = 'await_outcome'
const readPrefix = 'kubernetes_'

export function toolOfAction(action: string): string {
  return action.replace('.', '_')
}

/** The action a tool's name stands for, whether or not it is offered; undefined where it is none. */
export function actionOfTool(tool: string): string | undefined {
  const parsed = actionName.safeParse(tool.replace('_', '.'))
  return parsed.success ? parsed.data : undefined
}

export function toolOfRead(verb: ReadVerb): string {
  return `${readPrefix}${verb}`
}

export function readOfTool(tool: string): ReadVerb | undefined {
  return readVerbs.find((verb) => toolOfRead(verb) === tool)
}

export const readVerbs = Object.keys(reads).filter(isReadVerb)

function isReadVerb(word: string): word is ReadVerb {
  return Object.hasOwn(reads, word)
}
