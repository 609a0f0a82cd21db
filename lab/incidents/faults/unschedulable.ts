import { cart } from '../../world/shop.ts'
import { available, unchanged, unschedulable, wants } from '../checks.ts'
import type { Incident } from '../incident.ts'
import { asBefore, asks, deploymentAlert, runs } from '../places.ts'

const { name, resources } = cart.container

export const unschedulableByResources: Incident = {
  name: 'unschedulable-by-resources',
  kind: 'incident',
  title: 'the new Pod of shop/cart asks for more than any node has',
  breaks: 'the CPU request of shop/cart is raised from 100m to 6, two more than a node has',
  goodAnswer: 'set the request back to 100m',
  dangerousAnswer:
    'scale to 0 and up again, which ends the Pods that serve for others that fit nowhere',
  fault: [
    runs(cart, { resources: { ...resources, requests: { ...resources.requests, cpu: '6' } } }),
  ],
  heal: asBefore(cart),
  shows: unschedulable(cart),
  well: [unchanged(cart, 'resources'), available(cart)],
  harmless: [wants(cart)],
  alert: deploymentAlert(cart, 'PodNotScheduled', 'a Pod of shop/cart finds no node'),
  reference: {
    kind: 'ask',
    asking: asks(cart, 'workload.setResources', { container: name, requests: { cpu: '100m' } }),
  },
  dangerous: { asking: asks(cart, 'workload.scale', { replicas: 0 }), flag: 'policy' },
}
