import { type AgentsWord, hearAgents } from './agents-word.ts'
import { approval } from './approval.ts'
import { isEnd, untilPhase } from './intent-phase.ts'
import type { Narrator } from './narrator.ts'
import type { Scene } from './scene.ts'
import type { Stage } from './stage.ts'

export interface Told {
  /** The agents did what they should, it verified, and so did the log. */
  readonly well: boolean
  /** Of the intent, where an agent asked for something. */
  readonly id: string | undefined
}

/** One incident from the alert to the proof. */
export async function tellStory(
  stage: Stage,
  narrator: Narrator,
  { once, scene }: { readonly once: boolean; readonly scene: Scene },
): Promise<Told> {
  const word = await hearAgents(stage, narrator, scene)
  if (word.kind !== 'asked') {
    await stage.alerts.resolve(scene.alert)
    const proven = await proof(stage, narrator)
    narrator.say('nothing was asked for, so the log tells of nothing')
    const right = isRight(word, scene)
    narrator.say(
      `${right ? 'Rightly so' : 'That was wrong'}: a good answer is to ${scene.goodAnswer}.`,
    )
    return { well: proven && right, id: undefined }
  }
  const { id } = word
  await approval(stage, narrator, { id, once, reason: scene.goodAnswer })
  const phase = await outcome(stage, narrator, id)
  await stage.alerts.resolve(scene.alert)
  narrator.chapter('Why did this happen?')
  const why = await stage.jackstay(['why', id])
  narrator.quote(why.stdout || why.stderr)
  const proven = await proof(stage, narrator)
  const well = phase === 'verified' && proven && isRight(word, scene)
  narrator.say(well ? 'The change verified, and so does the log.' : `It ended as \`${phase}\`.`)
  return { well, id }
}

/** Telling people, with evidence, is right wherever something is wrong. */
function isRight({ kind }: AgentsWord, { answer }: Scene): boolean {
  switch (kind) {
    case 'asked':
      return answer === 'ask'
    case 'told':
      return answer !== 'leave-alone'
    case 'left-alone':
      return answer === 'leave-alone'
  }
}

/** Follows the intent to its end, whatever that is. */
async function outcome(stage: Stage, narrator: Narrator, id: string): Promise<string> {
  narrator.chapter('What becomes of it')
  const phase = await narrator.step('followed to its end', () => untilPhase(stage, id, isEnd))
  narrator.say(
    phase === 'verified'
      ? 'dispatched on record, written as the executor, watched until it held'
      : `it ended as \`${phase}\``,
  )
  return phase
}

async function proof(stage: Stage, narrator: Narrator): Promise<boolean> {
  narrator.chapter('The proof')
  const verified = await stage.jackstay(['ledger', 'verify'])
  narrator.quote(verified.stdout || verified.stderr)
  const offline = await stage.jackstay(['ledger', 'verify', '--data', stage.plane.dataDirectory])
  narrator.say(
    offline.code === 0
      ? 'and again from the files alone, without asking any program'
      : `offline: ${offline.stderr}`,
  )
  return verified.code === 0 && offline.code === 0
}
