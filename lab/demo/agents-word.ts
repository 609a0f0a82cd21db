import type { Narrator } from './narrator.ts'
import type { Scene } from './scene.ts'
import type { Stage } from './stage.ts'

/** What an agent made of an alert: it asked for something, told people, or left it alone. */
export type AgentsWord =
  | { readonly kind: 'asked'; readonly id: string }
  | { readonly kind: 'told' }
  | { readonly kind: 'left-alone' }

const patienceMs = 120_000
const words = new Set(['agent.diagnosis', 'agent.intent', 'agent.escalated'])

/** Another alert may fire still, of an earlier time. */
function isOf({ alert }: Scene, labels: unknown): boolean {
  const told: Readonly<Record<string, unknown>> = Object(labels)
  return Object.entries(alert.labels).every(([name, value]) => told[name] === value)
}

/** Lets something go wrong, tells the agents, and hears what one of them has to say. */
export async function hearAgents(
  stage: Stage,
  narrator: Narrator,
  scene: Scene,
): Promise<AgentsWord> {
  const { talk, signal, ground } = stage
  narrator.chapter('An incident')
  await narrator.step(scene.title, () => scene.begin(ground.install.client, signal))
  const soon = AbortSignal.any([signal, AbortSignal.timeout(patienceMs)])
  let since = talk.said
  const next = async (isIt: (event: Readonly<Record<string, unknown>>) => boolean) => {
    const { event, after } = await talk.next(since, isIt, soon)
    since = after
    return event
  }
  const { triggerId } = await narrator.step(
    'the alert is posted, with its bearer token',
    async () => {
      await stage.alerts.fire(scene.alert)
      return next(({ event, labels }) => event === 'agent.trigger' && isOf(scene, labels))
    },
  )
  narrator.chapter('The agent looks, and asks')
  for (;;) {
    const event = await next((one) => one.triggerId === triggerId && words.has(String(one.event)))
    switch (event.event) {
      case 'agent.intent':
        narrator.say(`it signed an intent: ${event.action} on ${event.target}, ${event.id}`)
        return { kind: 'asked', id: String(event.id) }
      case 'agent.escalated':
        narrator.say(`it asks for nothing and leaves it to people: ${event.message}`)
        return { kind: 'told' }
      default:
        narrator.say(`diagnosis: ${String(event.summary ?? event.message ?? '')}`)
        narrator.say(
          'read as itself, through the read tool; the API server takes no credential of it',
        )
        if (event.kind === 'nothing') return { kind: 'left-alone' }
    }
  }
}
