import { type Command, InvalidArgumentError, Option } from 'commander'
import { z } from 'zod'
import { clustering, filled } from '../command.ts'
import { usageError } from '../failure.ts'
import { isJson } from '../flags.ts'
import type { Terminal } from '../terminal.ts'

/** `suspend` and `resume`: never below another word. */
export function stopCommands(program: Command, terminal: Terminal): void {
  scoped(program.command('suspend'))
    .description('stop executors at the API server, whatever of ours runs or does not; never asks')
    .addOption(
      new Option('--undo <what>', 'whether undos stop too (default: hold); never by label').choices(
        ['hold', 'allow'],
      ),
    )
    .option('--reason <text>', 'why, for whoever finds it', filled, 'stopped by hand')
    .option('--for <duration>', 'how long it is meant to last, like 90s, 30m, 2h', lasting)
    .option('--wait', 'with --for: stay, and lift it then with your own credentials', false)
    .option('--yes', 'changes nothing: stopping is never asked about', false)
    .action(async (_, command: Command) => {
      const { undo, reason, for: forMs, wait, ...scope } = suspendFlags.parse(command.opts())
      const json = isJson(command)
      const { scopeOf } = await import('./scope.ts')
      const found = scopeOf(scope)
      if (wait && forMs === undefined) throw usageError('--wait needs --for: say until when')
      if (undo === 'allow' && found.by === 'label') {
        throw usageError(
          'a label stops undos too: leave --undo out, or stop by --class, --agent, --action or --target',
        )
      }
      const { suspend } = await import('./suspend.ts')
      return clustering(command, terminal, (client) =>
        suspend({ scope: found, reason, undo, forMs, wait, json }, client, terminal),
      )
    })
  scoped(program.command('resume'))
    .description('lift what stops a scope: shows what would start moving, asks')
    .option('--yes', 'do not ask', false)
    .action(async (_, command: Command) => {
      const { yes, ...scope } = resumeFlags.parse(command.opts())
      const json = isJson(command)
      const { scopeOf } = await import('./scope.ts')
      const found = scopeOf(scope)
      const { resume } = await import('./resume.ts')
      return clustering(command, terminal, (client) =>
        resume({ scope: found, yes, json }, client, terminal),
      )
    })
}

function scoped(command: Command): Command {
  return command
    .option('--all', 'everything: a label on jackstay-system, needing no kind of ours')
    .option('-n, --namespace <name>', 'one namespace of targets, by the same label')
    .option('--class <name>', 'a class of agents')
    .option('--agent <name>', 'one agent, `namespace/serviceaccount`')
    .option('--action <name>', 'one action, such as workload.scale')
    .option('--target <object>', 'one object: NAMESPACE/KIND/NAME, or KIND/NAME')
}

const scopeFlags = z.object({
  all: z.boolean().optional(),
  namespace: z.string().optional(),
  class: z.string().optional(),
  agent: z.string().optional(),
  action: z.string().optional(),
  target: z.string().optional(),
})

const suspendFlags = z.object({
  ...scopeFlags.shape,
  undo: z.enum(['hold', 'allow']).optional(),
  reason: z.string(),
  for: z.number().optional(),
  wait: z.boolean(),
})
const resumeFlags = z.object({ ...scopeFlags.shape, yes: z.boolean() })

function lasting(text: string): number {
  const [, h = '0', m = '0', s = '0'] =
    /^(?:(\d{1,3})h)?(?:(\d{1,4})m)?(?:(\d{1,6})s)?$/.exec(text) ?? []
  const seconds = Number(h) * 3600 + Number(m) * 60 + Number(s)
  if (seconds >= 1 && seconds <= 31 * 24 * 3600) return seconds * 1000
  throw new InvalidArgumentError('write how long, like 90s, 30m or 2h; 31 days at most.')
}
