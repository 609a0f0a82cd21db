import { labNamespace } from '../kubernetes/node/declared.ts'
import { configMap, type Manifest, namespace } from './manifests.ts'

/** Answers probes of `/healthz` at 8080, as every server of the world does. */
export const serves = 'serves: [{port: 8080, path: /healthz}]'

/** What the images of the world do; an entry that is not here is an image that nobody has. */
export const behaviours: Readonly<Record<string, string>> = {
  shop: `
registry.example/shop/web:1.4.1: {${serves}}
registry.example/shop/web:1.4.2: {${serves}}
registry.example/shop/web:1.5.0: {exit: {code: 1, afterMs: 800}, readyMs: never}
registry.example/shop/cart:2.7.0: {${serves}, memory: 40Mi}
registry.example/shop/search:5.1.0: {${serves}, load: 440m}
`,
  payments: `
registry.example/payments/api:3.2.1: {${serves}, memory: 180Mi}
registry.example/payments/api:3.3.0: {${serves}, memory: 180Mi, readyMs: never}
registry.example/payments/worker:3.2.0: {${serves}}
registry.example/payments/worker:3.2.1: {${serves}}
registry.example/payments/book:1.0.4: {${serves}}
`,
  batch: `
registry.example/batch/reports:0.9.2: {${serves}}
registry.example/batch/reports:0.9.3: {${serves}}
registry.example/batch/queue:4.0.0: {${serves}}
registry.example/batch/export:1.1.0: {exit: {code: 0, afterMs: 2000}}
`,
}

export const imagesConfigMap = 'images'

export const images: readonly Manifest[] = [
  namespace(labNamespace, {}),
  configMap(labNamespace, imagesConfigMap, behaviours),
]
