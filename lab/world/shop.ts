import {
  autoscaler,
  configMap,
  deployment,
  disruptionBudget,
  type Manifest,
  server,
  service,
  type Workload,
} from './manifests.ts'

const namespace = 'shop'

/** What customers see. */
export const web: Workload = {
  ...{ namespace, name: 'web', replicas: 3 },
  container: server('web', 'registry.example/shop/web:1.4.2', {
    ...{ cpu: '100m', memory: '64Mi', limit: '128Mi' },
  }),
}

export const cart: Workload = {
  ...{ namespace, name: 'cart', replicas: 2 },
  container: server(
    'cart',
    'registry.example/shop/cart:2.7.0',
    { cpu: '100m', memory: '64Mi', limit: '128Mi' },
    {
      env: [
        {
          name: 'CURRENCY',
          valueFrom: { configMapKeyRef: { name: 'cart-settings', key: 'currency' } },
        },
      ],
    },
  ),
}

/** Its load needs three Pods; the autoscaler keeps as many. */
export const search: Workload = {
  ...{ namespace, name: 'search', replicas: 3, autoscaled: true },
  container: server('search', 'registry.example/shop/search:5.1.0', {
    ...{ cpu: '200m', memory: '64Mi', limit: '128Mi' },
  }),
}

export const searchScaling = { minReplicas: 2, maxReplicas: 5 } as const

export const shop: readonly Manifest[] = [
  configMap(namespace, 'cart-settings', { currency: 'EUR', 'session-minutes': '30' }),
  deployment(web),
  deployment(cart),
  deployment(search),
  autoscaler(namespace, search.name, searchScaling),
  service(namespace, web.name),
  service(namespace, cart.name),
  service(namespace, search.name),
  disruptionBudget(namespace, web.name),
]
