import type { Command } from 'commander'
import { z } from 'zod'
import type { Verdict } from './approval.ts'
import { clustering, filled } from './command.ts'
import { usageError } from './failure.ts'
import { isJson } from './flags.ts'
import type { Terminal } from './terminal.ts'

/** `approve` and `reject`. */
export function approvalCommands(program: Command, terminal: Terminal): void {
  const verdicts: readonly (readonly [Verdict, string])[] = [
    [
      'approve',
      'approve an operation, a class or a break-glass window: shows what it is, asks, writes your Approval',
    ],
    ['reject', 'reject an operation, a class or a break-glass window; one rejection is final'],
  ]
  for (const [verdict, description] of verdicts) {
    program
      .command(`${verdict} <subject>`)
      .description(`${description} (ID, agentclass/NAME or changewindow/NAME)`)
      .option('--reason <text>', 'why, for the record (required)', filled)
      .option('-n, --namespace <name>', 'namespace of the intent (default: looks in all)')
      .option('--yes', 'do not ask')
      .option('--digest <digest>', 'what you have read: refuse if it is another by now')
      .action(async (subject: string, _, command: Command) => {
        const { reason, namespace, digest, yes = false } = approveFlags.parse(command.opts())
        // asked for here: who names nothing at all is told first what to name
        if (reason === undefined) {
          throw usageError(`--reason is missing: \`jackstay ${verdict} ${subject} --reason 'why'\``)
        }
        const json = isJson(command)
        const { approve } = await import('./approve.ts')
        return clustering(command, terminal, (client) =>
          approve({ subject, verdict, reason, namespace, yes, json, digest }, client, terminal),
        )
      })
  }
}

const approveFlags = z.object({
  reason: z.string().optional(),
  namespace: z.string().optional(),
  yes: z.boolean().optional(),
  digest: z.string().optional(),
})
