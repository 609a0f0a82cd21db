import type { Narrator } from './narrator.ts'
import type { Stage } from './stage.ts'

/** Says what agents do from now on, until the demo ends. */
export async function tellNews(stage: Stage, narrator: Narrator): Promise<void> {
  const { talk, signal } = stage
  const spoken = new Set(['agent.intent', 'agent.escalated'])
  for (let since = talk.said; ; ) {
    try {
      const { event, after } = await talk.next(
        since,
        (one) => spoken.has(String(one.event)),
        signal,
      )
      since = after
      narrator.say(newsOf(event))
    } catch (error) {
      if (signal.aborted) return
      throw error
    }
  }
}

function newsOf({ event, action, target, phase, id, message }: Record<string, unknown>): string {
  if (event === 'agent.escalated') return `an agent calls a person: ${message}`
  return `an agent asked for ${action} on ${target}, which is \`${phase}\`: npx jackstay why ${id}`
}
