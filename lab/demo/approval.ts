import { saysYes } from '@jackstay/cli/confirm'
import { processTerminal } from '@jackstay/cli/terminal'
import { oncall } from '../world/people.ts'
import { exportsFor } from './farewell.ts'
import { isEnd, phaseOf, untilPhase } from './intent-phase.ts'
import type { Narrator } from './narrator.ts'
import type { Stage } from './stage.ts'

export interface Asking {
  readonly id: string
  /** The demo operator approves by itself. */
  readonly once: boolean
  /** What the demo operator says for it. */
  readonly reason: string
}

/** Shows what is to be approved and lets a person, or with `once` the demo operator, say yes. */
export async function approval(stage: Stage, narrator: Narrator, asking: Asking): Promise<void> {
  const { id, once } = asking
  narrator.chapter('The decision')
  const phase = await untilPhase(stage, id, (one) => one === 'approve' || isEnd(one))
  if (phase !== 'approve') return narrator.say(`the rules ask nobody: it is \`${phase}\``)
  const waiting = await stage.jackstay(['inbox'])
  narrator.quote(waiting.stdout || waiting.stderr)
  if (once) {
    narrator.say(`\`${oncall.user}\`, ${stage.ground.operatorIs}, approves now.`)
    await decide(stage, narrator, asking, 'approve')
    return
  }
  narrator.say(`approve as \`${oncall.user}\` here, or in another terminal:`)
  narrator.say(exportsFor(stage, id))
  narrator.say('npx jackstay approve "$INTENT" --reason "…"')
  const answer = await answered(stage, id)
  if (answer === 'elsewhere') {
    narrator.say(`decided without this terminal: the intent is \`${await phaseOf(stage, id)}\` now`)
  } else {
    await decide(stage, narrator, asking, answer)
  }
}

async function decide(
  stage: Stage,
  narrator: Narrator,
  { id, reason }: Asking,
  verdict: 'approve' | 'reject',
): Promise<void> {
  const why = verdict === 'approve' ? reason : 'not now'
  const said = await stage.jackstay([verdict, id, '--yes', '--reason', why])
  narrator.quote(said.stdout || said.stderr)
}

/** What the person at this terminal says, or that the intent went on without them. */
async function answered(stage: Stage, id: string): Promise<'approve' | 'reject' | 'elsewhere'> {
  const settled = new AbortController()
  const signal = AbortSignal.any([stage.signal, settled.signal])
  const elsewhere = untilPhase({ ...stage, signal }, id, (phase) => phase !== 'approve').then(
    () => 'elsewhere' as const,
  )
  const waits: Promise<'approve' | 'reject' | 'elsewhere'>[] = [elsewhere]
  if (process.stdin.isTTY) waits.push(asked(signal))
  try {
    return await Promise.race(waits)
  } finally {
    settled.abort()
    await Promise.allSettled(waits)
  }
}

async function asked(signal: AbortSignal): Promise<'approve' | 'reject'> {
  const terminal = processTerminal(signal)
  const yes = await saysYes(terminal, '  approve operation? No rejects it for good.')
  return yes ? 'approve' : 'reject'
}
