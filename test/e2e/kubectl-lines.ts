import { randomBytes } from 'node:crypto'
import { type Line, look, type } from './kubectl-twins.ts'

/** Where the lines work; empty before. */
export const namespace = `kubectl-${randomBytes(4).toString('hex')}`

const asleep = (replicas: number, image = 'web:1', extra = ''): string => `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}, annotations: {team: a}}
spec:
  replicas: ${replicas}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: web
          image: ${image}
          ports: [{containerPort: 8080}]
          resources: {limits: {memory: 64Mi}}
${extra}`

/** In order. */
export const lines: readonly Line[] = [
  type('apply -f -', asleep(0)),
  type('apply -f -', asleep(0)),
  look('get deployments'),
  look('get deploy web -o wide'),
  look('get deploy web -o name'),
  look("get deploy web -o jsonpath='{.spec.template.spec.containers[0].image}'"),
  look('describe deployment web'),
  look('rollout status deployment web'),
  type('apply -f -', asleep(0, 'web:2')),
  look('rollout history deployment web'),
  type('rollout undo deployment web'),
  look('get deploy web -o yaml'),
  type('apply -f - --dry-run=server', asleep(0, 'web:3')),
  type('apply -f - --dry-run=client', asleep(0, 'web:3')),
  type('apply --server-side --field-manager=me -f -', asleep(0, 'web:4')),
  type('diff -f -', asleep(0, 'web:5')),
  type('apply --validate=strict -f -', asleep(0, 'web:5', '          imagee: x')),
  type('delete deployment web'),
]
