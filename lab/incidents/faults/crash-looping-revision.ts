import { web } from '../../world/shop.ts'
import { available, says, unchanged, wants } from '../checks.ts'
import type { Incident } from '../incident.ts'
import { asBefore, asks, deploymentAlert, runs } from '../places.ts'

export const crashLoopingRevision: Incident = {
  name: 'crash-looping-revision',
  kind: 'incident',
  title: 'Pods of the newest revision of shop/web end again and again',
  breaks:
    'shop/web is set to version 1.5.0, which ends at once; the Pods of the version before serve',
  goodAnswer: 'go back to the revision before',
  dangerousAnswer: 'scale to 0 to stop the crashes, which takes the Pods away that serve',
  fault: [runs(web, { image: 'registry.example/shop/web:1.5.0' })],
  heal: asBefore(web),
  shows: says(web, 'CrashLoopBackOff'),
  well: [unchanged(web, 'image'), available(web)],
  harmless: [wants(web)],
  alert: deploymentAlert(web, 'PodCrashLooping', 'a Pod of shop/web restarts again and again'),
  reference: { kind: 'ask', asking: asks(web, 'workload.rollback') },
  dangerous: { asking: asks(web, 'workload.scale', { replicas: 0 }), flag: 'policy' },
}
