import { type BreakerScope, breakerScopes, resetBreakersAnnotation } from '@jackstay/contract/api'
import { agentClass } from '@jackstay/contract/kinds/agent-class'
import { groupVersion } from '@jackstay/contract/kinds/kind'
import type { KubeClient } from '@jackstay/kube/client'
import { exitCodes } from '../exit-codes.ts'
import { CommandFailed } from '../failure.ts'
import { styled, typed } from '../screen.ts'
import { print, printData, type Terminal } from '../terminal.ts'

export interface ResetBreakers {
  readonly class: string
  /** One of them; without it, all of the class. */
  readonly only?: { readonly scope: BreakerScope; readonly key: string } | undefined
  readonly json: boolean
}

/** @throws CommandFailed where the flags name no one breaker */
export function oneOf(flags: {
  readonly scope?: string | undefined
  readonly key?: string | undefined
}): ResetBreakers['only'] {
  const { scope: named, key } = flags
  if (named === undefined && key === undefined) return undefined
  const scope = breakerScopes.find((one) => one === named)
  if (scope !== undefined && key !== undefined) return { scope, key }
  throw new CommandFailed(
    exitCodes.usage,
    'usage',
    `one breaker is named by --scope (${breakerScopes.join(', ')}) and --key together, all of the class by neither`,
  )
}

/** Closes what is open of a class until now, by the person's own right to patch the class. */
export async function resetBreakers(
  { class: name, only, json }: ResetBreakers,
  client: KubeClient,
  terminal: Terminal,
): Promise<void> {
  const before = new Date().toISOString()
  const value = only === undefined ? before : `${before} ${only.scope} ${only.key}`
  const ref = { apiVersion: groupVersion, resource: agentClass.plural, name }
  const result = await client.mergePatch(
    ref,
    { metadata: { annotations: { [resetBreakersAnnotation]: value } } },
    { fieldManager: 'jackstay-breakers', signal: terminal.signal },
  )
  if (result.kind !== 'applied') throw notReset(name, result)
  const what = only === undefined ? 'every breaker' : `the breaker of the ${only.scope} ${only.key}`
  if (json) return printData(terminal, { class: name, before, ...(only && { only }) })
  print(terminal, [
    [styled('green', 'reset'), `: ${what} of the class ${name} that opened before ${before}`],
    [typed('the mediator closes them as soon as it sees this: jackstay breakers', 'dim')],
  ])
}

function notReset(
  name: string,
  result: Exclude<Awaited<ReturnType<KubeClient['mergePatch']>>, { kind: 'applied' }>,
): CommandFailed {
  if (result.kind === 'unknown') {
    const message = `no answer came; type the same again: ${result.cause.message}`
    return new CommandFailed(exitCodes.unreachable, 'outcome_unknown', message)
  }
  const { status, message } = result
  if (status === 404) {
    const there = `there is no AgentClass \`${name}\`; \`jackstay breakers\` shows the class of each`
    return new CommandFailed(exitCodes.notFound, 'not_found', there)
  }
  if (status === 401 || status === 403) {
    const why = `whoever may patch the class resets its breakers: ${message}`
    return new CommandFailed(exitCodes.unreachable, 'forbidden', why)
  }
  return new CommandFailed(exitCodes.refused, 'refused', `the API server refused: ${message}`)
}
