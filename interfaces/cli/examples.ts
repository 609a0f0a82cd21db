import type { Command } from 'commander'

/** By command, what one types for real; a test holds every line to a command and flags that exist. */
export const examples: Readonly<Record<string, readonly string[]>> = {
  '': [
    'jackstay status                                   what runs, what is stopped, what waits',
    'jackstay inbox                                    what waits for you, with the commands',
    'jackstay intents list -A                          what agents asked for, newest first',
    'jackstay intents list -n shop --phase approve     what waits for somebody',
    'jackstay why ID                                   the whole story of one intent',
    "jackstay approve ID --reason 'known peak'         shows the diff, asks, writes your approval",
    "jackstay suspend --all --reason 'incident 7'      stops every agent's writes at once",
    'jackstay ledger verify --key log.vkey             recomputes the log from its leaves',
    'jackstay policy check rules/                      every mistake in rules, without a cluster',
  ],
  status: [
    'jackstay status                                   exit code 0: nothing to look at',
    'jackstay status -o json                           for scripts',
  ],
  doctor: [
    'jackstay doctor                                   exit code 0: all is as the chart says',
    'jackstay doctor --chart charts/jackstay -o json   for scripts',
  ],
  inbox: [
    'jackstay inbox                                    diff and commands, the next to expire first',
    'jackstay inbox -o wide                            one line each',
  ],
  'breakers list': ['jackstay breakers -o wide                         with what was counted'],
  'breakers reset': [
    'jackstay breakers reset scalers                   all of the class that are open now',
    'jackstay breakers reset scalers --scope agent --key jackstay-class-scalers/healer',
  ],
  windows: [
    'jackstay windows --preview 7d                     every opening of the next week',
    'jackstay windows --at 2027-03-27 --preview 3d     and around a night on which clocks change',
  ],
  'agents list': ['jackstay agents -o wide'],
  watch: [
    'jackstay watch -n shop',
    'jackstay watch -o json --count 10                 one JSON text a line',
  ],
  'intents watch': ['jackstay intents watch -n shop'],
  cancel: ['jackstay cancel ID'],
  'trigger create': [
    'jackstay trigger create --label alertname=DeploymentDown --label namespace=shop',
    "jackstay trigger create --label alertname=Slow --annotation 'summary=seen by hand'",
  ],
  'trigger resolve': ['jackstay trigger resolve ID'],
  'lab incidents': ['jackstay lab incidents -o json                    for scripts'],
  'lab break': [
    'jackstay lab break bad-tag                        then tell agents with the line it shows',
  ],
  'lab heal': ['jackstay lab heal bad-tag'],
  'intents list': [
    'jackstay intents -A                               newest first',
    'jackstay intents list -n shop --phase approve     what waits for somebody there',
    'jackstay intents list -A -o wide                  with full times',
  ],
  'intents get': ['jackstay intents get ID -o yaml                   every event as it is stored'],
  why: [
    'jackstay why ID                                   for people',
    'jackstay why ID -o json                           for scripts, and for `policy explain`',
  ],
  approve: [
    "jackstay approve ID --reason 'known peak'         shows the diff, asks, writes your approval",
    "jackstay approve agentclass/scalers --reason 'reviewed'",
    "jackstay approve changewindow/hotfix --reason 'the shop is down'",
    "jackstay approve ID --digest sha256:… --yes --reason 'read in the ticket'",
  ],
  reject: ["jackstay reject ID --reason 'not during the sale'"],
  suspend: [
    "jackstay suspend --all --reason 'incident 7'      everything, undos too, by one label",
    'jackstay suspend -n shop                          one namespace of targets',
    'jackstay suspend --agent jackstay-class-sre/healer --for 2h',
    'jackstay suspend --class sre --undo allow         what was begun may still be taken back',
    'jackstay suspend --action workload.scale --for 30m --wait',
    'jackstay suspend --target shop/Deployment/api     one object, whoever asks',
  ],
  resume: [
    'jackstay resume --all                             shows what would start moving, asks',
    'jackstay resume --target shop/Deployment/api --yes',
  ],
  'ledger verify': [
    'jackstay ledger verify --data DIR --key log.vkey  recomputes every leaf and tile',
    'jackstay ledger verify --data DIR --checkpoint kept    is it the log that was kept, or one that goes on from it',
    'jackstay ledger verify --proof leaf-7.tlog-proof --key log.vkey',
  ],
  'ledger export': [
    'jackstay ledger export --data DIR --out bundle    what a stranger can check',
    'jackstay ledger export --data DIR --out november --from 2026-11-01 --to 2026-12-01',
    'jackstay ledger export --data DIR --out bundle --with-values    and what people and agents said',
  ],
  'ledger backup': [
    'jackstay ledger backup --data DIR --out backup    also while the mediator runs',
    'jackstay ledger backup --data DIR --out backup --with-key    one that a mediator can go on with',
  ],
  'ledger recover': ["jackstay ledger recover --data DIR --out NEW --reason 'disk lost'"],
  'ledger rotate-key': ["jackstay ledger rotate-key --data DIR --reason 'yearly'"],
  'ledger status': [
    'jackstay ledger status                            as the mediator serves it',
    'jackstay ledger status --data DIR                 its tail, its key, who keeps it outside',
  ],
  'ledger prove': ['jackstay ledger prove ID --data DIR --out evidence'],
  'ledger witness': ['jackstay ledger witness --data DIR --policy ledger-policy.yaml'],
  'ledger redact': [
    "jackstay ledger redact ID --data DIR --reason 'asked by the customer'",
    "jackstay ledger redact leaf/7 --name reasoning --data DIR --reason 'a password'",
  ],
  'ledger hold add': [
    "jackstay ledger hold add case-7 --intent ID --data DIR --reason 'audit'",
    "jackstay ledger hold add case-8 --agent jackstay-class-sre/healer --data DIR --reason 'inquiry'",
    "jackstay ledger hold add case-9 --everything --data DIR --reason 'court order'",
  ],
  'ledger hold lift': ["jackstay ledger hold lift case-7 --data DIR --reason 'closed'"],
  'ledger hold list': ['jackstay ledger hold list --data DIR'],
  'ledger prune': [
    "jackstay ledger prune --policy FILE --data DIR --reason 'retention' --dry-run",
    "jackstay ledger prune --policy FILE --data DIR --reason 'retention' --yes",
  ],
  'policy check': [
    'jackstay policy check rules/                      every mistake, with line and column',
    'kubectl get actionpolicies -o yaml | jackstay policy check -',
  ],
  'policy test': ['jackstay policy test rules/ --min-coverage 100    the cases beside the rules'],
  'policy explain': ['jackstay policy explain --intent intent.yaml rules/'],
  'policy replay': ['jackstay policy replay --data DIR rules/ --expect-same'],
  'policy bench': ['jackstay policy bench rules/ --seconds 5'],
}

/** How a command is typed, without what the line explains. */
export function exampleOf(path: readonly string[]): string | undefined {
  return examples[path.join(' ')]?.[0]?.split(/ {2,}/)[0]
}

/** Puts its examples under the help of every command. */
export function showExamples(command: Command, path: readonly string[] = []): void {
  const lines = examples[path.join(' ')] ?? []
  const indented = lines.map((line) => `  ${line}`).join('\n')
  if (lines.length > 0) command.addHelpText('after', `\nExamples:\n${indented}`)
  for (const child of command.commands) showExamples(child, [...path, child.name()])
}
