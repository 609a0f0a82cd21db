/** How images behave, as the lab is told. */
export const declared = `
apiVersion: v1
kind: ConfigMap
metadata: {name: images, namespace: jackstay-lab}
data:
  images: |
    web:1: {startMs: 50, readyMs: 50}
    web:2: {startMs: 50, readyMs: 50}
    crashes:1: {startMs: 50, exit: {code: 3, afterMs: 50}, says: ["error: no database"]}
    hungry:1: {startMs: 50, memory: 1Gi}
    deaf:1: {startMs: 50, serves: [{port: 9}]}
    nowhere:2: {}
`

const deployment = (name: string, container: string, replicas = 1) => `
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}}
spec:
  replicas: ${replicas}
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec: {containers: [{name: ${name}, image: '${name}:1', ${container}}]}
`

/** One that is well, and one for each thing that goes wrong. */
export const workloads = [
  deployment('web', 'ports: [{containerPort: 8080}]', 2),
  deployment('crashes', ''),
  deployment('nowhere', ''),
  deployment('hungry', 'resources: {limits: {memory: 64Mi}}'),
  deployment('deaf', 'readinessProbe: {httpGet: {port: 8080}}'),
  deployment('keyless', 'env: [{name: A, valueFrom: {configMapKeyRef: {name: none, key: a}}}]'),
  deployment('big', "resources: {requests: {cpu: '100'}}"),
].join('---')
