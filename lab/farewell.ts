import { agent } from './demo-objects.ts'
import type { Narrator } from './narrator.ts'
import type { Stage } from './stage.ts'

/** One line for another terminal: who you are, where the mediator is, which intent it is about. */
export function exportsFor(
  { kubectlFolder, plane, operatorKubeconfig }: Stage,
  id: string,
): string {
  const variables = {
    KUBECONFIG: operatorKubeconfig,
    JACKSTAY_SERVER: plane.mediatorUrl,
    INTENT: id,
    ...(kubectlFolder !== undefined && { PATH: `${kubectlFolder}:$PATH` }),
  }
  return `export ${Object.entries(variables)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ')}`
}

/** How to look further, as long as the demo runs. */
export function farewell(stage: Stage, narrator: Narrator, id: string): void {
  const { plane } = stage
  narrator.chapter('Look further, in another terminal in this folder')
  for (const command of [
    exportsFor(stage, id),
    'kubectl get intents,approvals --all-namespaces',
    'npx jackstay why "$INTENT"',
    'npx jackstay ledger verify',
    'kubectl label namespace jackstay-system jackstay.dev/suspended=by-hand    # stops every write',
  ]) {
    narrator.say(command)
  }
  narrator.say('')
  narrator.say(`logs: ${plane.logs} · class: ${agent.class} · Ctrl-C stops everything`)
}
