import { erasableNames } from '@jackstay/contract/redaction'
import type { HoldScope } from '@jackstay/ledger/erasure'
import { type Command, Option } from 'commander'
import { z } from 'zod'
import { usageError } from '../failure.ts'
import { isJson } from '../flags.ts'
import type { Terminal } from '../terminal.ts'
import { deed, deedFlags } from './deed.ts'
import { inDatabase, placeFlags } from './place.ts'

/** `ledger redact|hold|prune`: on a data directory whose mediator is stopped, or a database. */
export function ledgerErasureCommands(ledger: Command, terminal: Terminal): void {
  const stopped = (command: Command) =>
    inDatabase(
      deed(
        command,
        terminal,
        'the data directory; stop its mediator first, unless a database holds the log',
      ),
    )

  stopped(ledger.command('redact <subject>'))
    .description('erase values of an intent (ID) or a leaf (leaf/N) for good; proofs stay')
    .addOption(
      new Option(
        '--name <name...>',
        'what to erase, and what repeats it (default: everything)',
      ).choices(erasableNames),
    )
    .action(async (subject: string, _, command: Command) => {
      const { redact } = await import('./erasure.ts')
      const { name, ...flags } = redactFlags.parse(command.opts())
      return redact({ ...flags, subject, names: name, json: isJson(command) }, terminal)
    })

  const hold = ledger.command('hold').description('legal holds: what is neither erased nor pruned')
  stopped(hold.command('add <id>'))
    .description('put a hold on one intent, agent, namespace or leaf, or on everything')
    .option('--intent <id>', 'one intent')
    .option('--agent <name>', 'what an agent asked for, `namespace/serviceaccount`')
    .option('--namespace <name>', 'what was asked for in a namespace')
    .option('--leaf <index>', 'one leaf')
    .option('--everything', 'the whole log')
    .action(async (id: string, _, command: Command) => {
      const { addHold } = await import('./erasure.ts')
      const flags = erasureFlags.parse(command.opts())
      const scope = await scopeOf(command.opts())
      return addHold({ ...flags, id, scope, json: isJson(command) }, terminal)
    })
  stopped(hold.command('lift <id>'))
    .description('lift a hold')
    .action(async (id: string, _, command: Command) => {
      const { liftHold } = await import('./erasure.ts')
      const flags = erasureFlags.parse(command.opts())
      return liftHold({ ...flags, id, json: isJson(command) }, terminal)
    })
  inDatabase(hold.command('list', { isDefault: true }))
    .description('holds in force; also while the mediator runs (also without `list`)')
    .requiredOption('--data <folder>', 'the data directory')
    .action(async (_, command: Command) => {
      const { listHolds } = await import('./erasure.ts')
      const place = placeFlags.parse(command.opts())
      return listHolds({ ...place, json: isJson(command) }, terminal)
    })

  stopped(ledger.command('prune'))
    .description('remove the oldest leaves as a retention policy allows; hash tiles stay')
    .requiredOption('--policy <file>', 'how long each class of leaves is kept, in YAML')
    .option('--dry-run', 'only say what would go and what has to stay', false)
    .action(async (_, command: Command) => {
      const { prune } = await import('./erasure.ts')
      const flags = pruneFlags.parse(command.opts())
      return prune({ ...flags, json: isJson(command) }, terminal)
    })
}

async function scopeOf(options: unknown): Promise<HoldScope> {
  const { holdScope } = await import('@jackstay/ledger/erasure')
  const given = scopeFlags.parse(options)
  const all = Object.entries(given).filter(([, value]) => value !== undefined)
  const scope = holdScope.safeParse(Object.fromEntries(all))
  if (scope.success) return scope.data
  throw usageError(
    'a hold covers one thing: pass one of --intent, --agent, --namespace, --leaf, --everything',
  )
}

const erasureFlags = z.object({ ...deedFlags.shape, ...placeFlags.shape })

const redactFlags = z.object({ ...erasureFlags.shape, name: z.array(z.string()).optional() })

const pruneFlags = z.object({
  ...erasureFlags.shape,
  policy: z.string().min(1),
  dryRun: z.boolean(),
})

const scopeFlags = z.object({
  intent: z.string().optional(),
  agent: z.string().optional(),
  namespace: z.string().optional(),
  leaf: z.coerce.number().optional(),
  everything: z.literal(true).optional(),
})
