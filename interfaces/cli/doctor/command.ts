import type { Command } from 'commander'
import { z } from 'zod'
import { clustering } from '../command.ts'
import { isJson } from '../flags.ts'
import type { Terminal } from '../terminal.ts'

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
    .action(async (_, command: Command) => {
      const { chart } = flags.parse(command.opts())
      const { doctor } = await import('./doctor.ts')
      await clustering(command, terminal, (client) =>
        doctor({ chart, json: isJson(command) }, client, terminal),
      )
    })
}
