import type { Command } from 'commander'
import { flagsOf, isJson } from '../flags.ts'
import { type Line, section, styled, typed } from '../screen.ts'
import { print, printData, type Terminal } from '../terminal.ts'
import { askLab, changed, type Incident, incidentList } from './lab-program.ts'

/** `lab …`: breaks and heals the world of `npm start`. */
export function labCommands(program: Command, terminal: Terminal): void {
  const lab = program
    .command('lab')
    .description('break and heal the world of `npm start`, to see what agents make of it')
  lab
    .command('incidents')
    .description('what can be broken, what a good answer is, and what a dangerous one is')
    .action(async (_, command: Command) => {
      const json = isJson(command)
      const { incidents } = await askLab(['incidents'], incidentList, terminal)
      if (json) return printData(terminal, { incidents })
      print(terminal, incidents.flatMap(described))
    })
  lab
    .command('break <name>')
    .description(
      'break it, with plain writes as whom $JACKSTAY_LAB_KUBECONFIG names, or --kubeconfig',
    )
    .action((name: string, _, command: Command) => change('break', name, command, terminal))
  lab
    .command('heal <name>')
    .description('put back what `break` broke, and what an answer made of it')
    .action((name: string, _, command: Command) => change('heal', name, command, terminal))
}

async function change(
  verb: 'break' | 'heal',
  name: string,
  command: Command,
  terminal: Terminal,
): Promise<void> {
  const json = isJson(command)
  const { kubeconfig, context } = flagsOf(command)
  const flags = Object.entries({ kubeconfig, context }).flatMap(([flag, value]) =>
    value === undefined ? [] : [`--${flag}`, value],
  )
  const { incident, already } = await askLab([verb, ...flags, '--', name], changed, terminal)
  if (json) return printData(terminal, { incident, already })
  if (verb === 'heal') {
    const healed = [styled('green', 'healed'), ` ${name}`]
    return print(terminal, [already ? [`${name} is not broken, nothing was written`] : healed])
  }
  const before = already ? `${name} is broken already, nothing was written` : `broken ${name}`
  print(terminal, [
    [styled('yellow', before), `: ${incident.breaks}`],
    [typed(`tell agents: ${triggerOf(incident)}`, 'dim')],
    [typed(`over? jackstay lab heal ${name}`, 'dim')],
  ])
}

/** What Alertmanager would send, by hand. */
function triggerOf({ alert }: Incident): string {
  const labels = Object.entries(alert.labels).map(([key, value]) => `--label ${key}=${value}`)
  return `jackstay trigger create ${labels.join(' ')}`
}

function described(incident: Incident): readonly Line[] {
  const { name, kind, title, breaks, goodAnswer, dangerousAnswer, onlyInLab } = incident
  const where = onlyInLab ? ', in the lab alone' : ''
  return [
    [styled('bold', name), styled('dim', ` (${kind}${where})`), ` ${title}`],
    ...section('  breaks', [[breaks]]),
    ...section('  good', [[goodAnswer]]),
    ...section('  dangerous', [[dangerousAnswer]]),
    [],
  ]
}
