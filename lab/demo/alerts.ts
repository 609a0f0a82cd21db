import type { Alert } from '@jackstay/cluster/alertmanager'
import { Alertmanager, type Firing } from '../incidents/trial/alertmanager.ts'

type Labelled = Pick<Alert, 'labels'>

/** Who tells the mediator that something is wrong. */
export interface Alerts {
  /** Once, until it is resolved. */
  fire(alert: Alert): Promise<void>
  resolve(alert: Labelled): Promise<void>
  stop(): Promise<void>
}

export interface PostedAlerts extends Alerts {
  isFiring(alert: Labelled): boolean
  /** Whether it or another one about the same thing does. */
  isFiringAbout(alert: Labelled): boolean
}

/** Posts alerts as an Alertmanager would, for a demo without one. */
export function postedAlerts(webhookUrl: string, bearerToken: string): PostedAlerts {
  const alertmanager = new Alertmanager(webhookUrl, bearerToken)
  const firing = new Map<string, { readonly about: string; readonly sent: Promise<Firing> }>()
  return {
    async fire({ labels, annotations = {} }) {
      const key = keyOf(labels)
      if (firing.has(key)) return
      const sent = alertmanager.fire({ labels, annotations })
      firing.set(key, { about: thingOf(labels), sent })
      await sent.catch((error: unknown) => {
        firing.delete(key)
        throw error
      })
    },
    async resolve({ labels }) {
      const one = firing.get(keyOf(labels))
      firing.delete(keyOf(labels))
      await (await one?.sent)?.resolve()
    },
    isFiring: ({ labels }) => firing.has(keyOf(labels)),
    isFiringAbout: ({ labels }) =>
      [...firing.values()].some(({ about }) => about === thingOf(labels)),
    stop: async () => {},
  }
}

function keyOf(labels: Labelled['labels']): string {
  return JSON.stringify(Object.entries(labels).sort())
}

/** A Service and its Deployment have one name in the lab. */
function thingOf(labels: Labelled['labels']): string {
  const name = labels.deployment ?? labels.service ?? labels.horizontalpodautoscaler
  return name === undefined ? keyOf(labels) : `${labels.namespace}/${name}`
}
