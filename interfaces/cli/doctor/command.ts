import type { Command } from 'commander'
import { z } from 'zod'
import { clustering } from '../command.ts'
import { isJson } from '../flags.ts'
import type { Terminal } from '../terminal.ts'

// its own, because a script that reads 3 as away would take missing rights for an outage
const exits = `
It reads roles, bindings and admission policies of the whole cluster: the ClusterRole jackstay-auditor lets you.
Exit codes: 0 nothing is wrong, 1 something is and each line says what to type, 2 wrong input,
3 the API server is away, or nothing is wrong in what you may see, and you may not see all.`

const flags = z.object({ chart: z.string().min(1).optional() })

/** `doctor`: is what should hold agents really there. */
export function doctorCommand(program: Command, terminal: Terminal): void {
  program
    .command('doctor')
    .description('whether kinds, policies, roles, classes and rights are as they should be')
    .option(
      '--chart <folder>',
      "charts/jackstay of the version that is installed (default: this checkout's)",
    )
    .addHelpText('after', exits)
    .action(async (_, command: Command) => {
      const { chart } = flags.parse(command.opts())
      const json = isJson(command)
      const { readChart } = await import('./chart.ts')
      // before the cluster: a folder that is not there is wrong whatever cluster was meant
      const wanted = await readChart(chart)
      const { doctor } = await import('./doctor.ts')
      const folder = chart ?? 'charts/jackstay'
      await clustering(command, terminal, (client) =>
        doctor({ wanted, folder, json }, client, terminal),
      )
    })
}
