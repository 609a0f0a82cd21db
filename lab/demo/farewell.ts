import type { Narrator } from './narrator.ts'
import type { Stage } from './stage.ts'

/** One line for another terminal: who you are, where the mediator is, which intent it is about. */
export function exportsFor(
  { ground: { kubectlFolder, exports }, plane, operatorKubeconfig }: Stage,
  id?: string,
): string {
  const variables = {
    KUBECONFIG: operatorKubeconfig,
    JACKSTAY_SERVER: plane.mediatorUrl,
    ...(id !== undefined && { INTENT: id }),
    ...exports,
    ...(kubectlFolder !== undefined && { PATH: `${kubectlFolder}:$PATH` }),
  }
  return `export ${Object.entries(variables)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ')}`
}

/** How to look further, as long as the demo runs. */
export function farewell(stage: Stage, narrator: Narrator, id: string | undefined): void {
  const { plane, ground } = stage
  narrator.heading('Look further, in another terminal in this folder')
  narrator.say(exportsFor(stage, id))
  narrator.say('')
  const tries: readonly (readonly [string, string])[] = [
    [
      'kubectl get intents,approvals,pods -A',
      'agents run beside the cluster: their Pods stay pending',
    ],
    ...ground.tries,
    ['npx jackstay inbox', 'what waits for you, with the commands'],
    [
      id === undefined ? 'npx jackstay intents list -A' : 'npx jackstay why "$INTENT"',
      'why it happened',
    ],
    ['npx jackstay suspend --all --reason drill', 'stops every agent’s writes'],
    ['npx jackstay resume --all --yes', 'lifts that'],
    ['npx jackstay ledger verify', 'recomputes the log'],
  ]
  const width = Math.max(...tries.map(([command]) => command.length))
  for (const [command, what] of tries) narrator.say(`${command.padEnd(width)}   # ${what}`)
  narrator.say('')
  narrator.say(`logs: ${plane.logs} · Ctrl-C stops everything`)
}
