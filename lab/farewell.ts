import type { Stage } from './demo.ts'
import { agent, workload } from './demo-objects.ts'
import type { Narrator } from './narrator.ts'

/** How to look further, as long as the demo runs. */
export function farewell(stage: Stage, narrator: Narrator, once: boolean): void {
  if (once) return
  const { cluster, plane, operatorKubeconfig } = stage
  const kubectl = `${cluster.kubectl} --kubeconfig ${operatorKubeconfig}`
  const jackstay = `npx jackstay --kubeconfig ${operatorKubeconfig} --server ${plane.mediatorUrl}`
  narrator.chapter('Look further, in another terminal')
  for (const command of [
    `${kubectl} get int -A`,
    `${kubectl} get agc,apol,apv -A`,
    `${jackstay} intents list -A`,
    `${jackstay} why ID`,
    `${jackstay} ledger verify`,
    `${kubectl} label ns jackstay-system jackstay.dev/suspended=by-hand   # stops every write`,
    `${cluster.kubectl} --kubeconfig ${cluster.kubeconfig} -n ${workload.namespace} scale deployment/${workload.name} --replicas=0   # break it again`,
  ]) {
    narrator.say(command)
  }
  narrator.say('')
  narrator.say(`logs: ${plane.logs} · class: ${agent.class} · Ctrl-C stops everything`)
}
