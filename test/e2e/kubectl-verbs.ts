import { namespace } from './kubectl-lines.ts'
import { type Line, look, type } from './kubectl-twins.ts'

const crd = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: lamps.kubectl.example}
spec:
  group: kubectl.example
  scope: Namespaced
  names: {plural: lamps, singular: lamp, kind: Lamp, listKind: LampList, shortNames: [lp], categories: [lights]}
  versions:
    - name: v1
      served: true
      storage: true
      subresources: {status: {}, scale: {specReplicasPath: .spec.bulbs, statusReplicasPath: .status.bulbs}}
      additionalPrinterColumns:
        - {name: Bulbs, type: integer, jsonPath: .spec.bulbs}
        - {name: Color, type: string, jsonPath: .spec.color, priority: 1}
      schema:
        openAPIV3Schema:
          type: object
          required: [spec]
          properties:
            spec:
              type: object
              description: What is wanted.
              required: [bulbs]
              properties:
                bulbs: {type: integer, minimum: 0, maximum: 9, description: How many.}
                color: {type: string, enum: [red, green], default: red}
            status:
              type: object
              properties: {bulbs: {type: integer}}
`

const lamp = (spec: string) => `
apiVersion: kubectl.example/v1
kind: Lamp
metadata: {name: desk}
spec: ${spec}
`

/** Kinds that a definition makes. */
const customLines: readonly Line[] = [
  type('apply -f -', crd),
  type('wait --for=condition=Established crd/lamps.kubectl.example'),
  look('get crd lamps.kubectl.example'),
  look('explain lamp --recursive'),
  look('explain lamp.spec.bulbs'),
  type('apply -f -', lamp('{bulbs: 2}')),
  type('apply -f -', lamp('{bulbs: 3}')),
  type('apply -f - --validate=true', lamp('{bulbs: 30}')),
  type('apply -f - --validate=strict -o name', lamp('{bulbs: 3, colour: red}')),
  type('apply -f - --validate=warn', lamp('{bulbs: 4, colour: red}')),
  type('apply -f - --server-side --field-manager=other', lamp('{bulbs: 5}')),
  type('apply -f - --server-side --field-manager=other --force-conflicts', lamp('{bulbs: 5}')),
  look('get lights'),
  look('get lp desk -o wide'),
  look('get lamps.v1.kubectl.example desk -o yaml'),
  look('get lamp desk -o yaml --show-managed-fields'),
  look('describe lamp desk'),
  type('scale lamp desk --replicas=6'),
  type('patch lamp desk --type=merge -p \'{"spec":{"color":"green"}}\''),
  type('patch lamp desk -p \'{"spec":{"color":"green"}}\''),
  type('patch lamp desk --subresource=status --type=merge -p \'{"status":{"bulbs":1}}\''),
  type('delete lamp desk'),
  type('delete crd lamps.kubectl.example'),
]

/** What changes, asks and waits. */
const verbs: readonly Line[] = [
  type('create configmap one --from-literal=a=b'),
  type('create configmap one --from-literal=a=b'),
  type('create secret generic hidden --from-literal=password=x'),
  type('create serviceaccount robot'),
  type('create role reader --verb=get,list --resource=pods,deployments'),
  type(`create rolebinding reader --role=reader --serviceaccount=${namespace}:robot`),
  type('create quota small --hard=pods=3'),
  type('create poddisruptionbudget one --selector=app=web --min-available=1'),
  type('create deployment web --image=web:1 --replicas=0 --port=8080'),
  type('create job once --image=web:1 --dry-run=server -o name'),
  type('create cronjob nightly --image=web:1 --schedule="0 3 * * *" -o name'),
  type('create service clusterip web --tcp=80:8080'),
  type('create ingress web --rule=a.example/=web:80 -o name'),
  type('expose deployment web --name=seen --port=80'),
  type('autoscale deployment web --min=1 --max=3 --cpu=80%'),
  type('run once --image=web:1 --dry-run=client -o name'),
  type('label configmap one tier=front'),
  type('label configmap one tier=back'),
  type('label configmap one tier=back --overwrite'),
  type('annotate configmap one note=kept'),
  type('annotate configmap one note-'),
  look('get cm -l tier=back'),
  look('get secret -l tier!=back -o name'),
  look('get cm --field-selector metadata.name=one --show-labels'),
  look('get cm one --show-kind -L tier'),
  look('get secret,sa -o name'),
  look('get cm one -o custom-columns=NAME:.metadata.name,A:.data.a'),
  look('get cm one -o json'),
  look('get cm'),
  look('get cm none'),
  look('get cm none --ignore-not-found'),
  look('get nonsense'),
  look(`get secret -A --field-selector metadata.namespace=${namespace}`),
  look('get all'),
  look('get sa --sort-by=.metadata.name'),
  type('delete hpa web'),
  type('patch configmap one -p \'{"data":{"c":"d"}}\''),
  type('patch configmap one --type=json -p \'[{"op":"remove","path":"/data/c"}]\''),
  type('patch configmap one --type=json -p \'[{"op":"remove","path":"/data/none"}]\''),
  type('patch deployment web -p \'{"spec":{"replicas":"three"}}\''),
  type('scale deployment web --replicas=0 --current-replicas=7'),
  type('scale deployment web --replicas=0'),
  type('set image deployment/web web=web:2'),
  type('set image deployment/web other=web:2'),
  type('set resources deployment web --limits=memory=64Mi'),
  type('set env deployment/web A=b'),
  look('rollout status deployment/web'),
  look('rollout history deployment/web'),
  look('rollout history deployment/web --revision=2'),
  type('rollout undo deployment/web --to-revision=1'),
  type('rollout undo deployment/web --to-revision=77'),
  type('rollout pause deployment/web'),
  type('rollout pause deployment/web'),
  type('rollout resume deployment/web'),
  type('rollout restart deployment/web'),
  type('wait --for=condition=Available deployment/web --timeout=60s'),
  type("wait --for=jsonpath='{.data.a}'=b configmap/one --timeout=5s"),
  type('wait --for=condition=Never deployment/web --timeout=1s'),
  type('replace -f -', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\ndata: {x: z}\n'),
  type('replace -f -', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: gone}\n'),
  type('delete configmap none'),
  type('delete configmap one'),
  type('delete deployment web --cascade=orphan'),
  type('delete deployment web'),
  type('delete rs --all --wait=true', undefined),
  type('delete secret,sa,role,rolebinding,quota,pdb,svc,ing,cj --all'),
]

/** What asks who may what, and what there is. */
const questions: readonly Line[] = [
  look('auth can-i create pods'),
  look('auth can-i create pods --as=nobody'),
  look('auth can-i get pods --as=nobody --as-group=system:masters'),
  look('auth can-i get /healthz --as=nobody'),
  look('auth can-i list nonsense'),
  look('auth can-i --list --as=nobody'),
  look('auth whoami --as=somebody --as-group=a --as-group=b -o yaml'),
  look('get pods --as=nobody'),
  look('get --raw /healthz'),
  look('get --raw /nonsense'),
  look('api-resources --api-group=apps'),
  look('api-resources --api-group=batch -o wide'),
  look('api-resources --namespaced=false --api-group=rbac.authorization.k8s.io'),
  look('explain deployment.spec.strategy.rollingUpdate.maxSurge'),
  look('explain nonsense'),
  look('explain pod.spec.nonsense'),
  look('cluster-info'),
  look('events --for=job/once'),
  look('events --for=job/once --types=Warning'),
  look('get events --field-selector involvedObject.name=once -o wide'),
  look('get events --field-selector reason=none'),
]

export const verbLines: readonly Line[] = [...customLines, ...verbs, ...questions]
