import { textAt } from '../resources/columns.ts'
import { type Controller, keyOf, placeIn } from './controller.ts'

const events = { apiVersion: 'v1', kind: 'Event', resource: 'events' }
/** As a real API server keeps them; in real time, for whoever reads them does so in real time. */
const keptMs = 3_600_000

/** Takes events away that nobody looks for any more. */
export const eventExpiry: Controller<'events'> = {
  name: 'generic-garbage-collector',
  watches: { events: { type: events, keys: (event) => [keyOf(event)] } },
  async reconcile(key, { client, caches, clock, signal }) {
    const { namespace, name } = placeIn(key)
    const event = caches.events.get(namespace, name)
    if (event === undefined) return undefined
    const last = textAt(event, 'lastTimestamp') || textAt(event, 'eventTime')
    const seen = Date.parse(last || (event.metadata.creationTimestamp ?? ''))
    const left = seen + keptMs - clock.now()
    // waits are told in the lab's time
    if (left > 0) return left * (1000 / clock.real(1000))
    await client.delete({ ...events, namespace, name }, { signal })
    return undefined
  },
}
