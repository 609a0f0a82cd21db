import type { Command } from 'commander'
import { z } from 'zod'
import { reading } from '../command.ts'
import { isJson } from '../flags.ts'
import type { Terminal } from '../terminal.ts'
import { ledgerCustodyCommands } from './custody-commands.ts'
import { ledgerErasureCommands } from './erasure-commands.ts'
import { ledgerWitnessCommands } from './witness-commands.ts'

const help = `
Examples:
  jackstay ledger status --data DIR                       its tail, its key, who keeps it outside
  jackstay ledger verify --data DIR --key log.vkey        recomputes every leaf and tile
  jackstay ledger prove ID --data DIR --out evidence      one file for each leaf of an intent
  jackstay ledger export --data DIR --out bundle          a folder that a stranger can check
  jackstay ledger backup --data DIR --out backup          also while the mediator runs
  jackstay ledger hold add case-7 --intent ID --data DIR --reason …
  jackstay ledger prune --policy FILE --data DIR --reason … --dry-run

What writes to the log (redact, hold add and lift, prune, rotate-key, recover) needs the mediator
stopped; with --ledger-url-file only rotate-key and recover do. docs/guide has ledger-care, evidence
and retention. Exit codes: 0 done, 1 refused, 2 wrong input, 3 mediator away or still running,
4 not found, 5 the ledger does not verify.`

/** `ledger …`. */
export function ledgerCommands(program: Command, terminal: Terminal): void {
  const ledger = program
    .command('ledger')
    .description('the log nobody can rewrite unnoticed')
    .addHelpText('after', help)
  ledger
    .command('verify')
    .description('recompute the whole log and compare it with its signed root')
    .option('--data <folder>', 'a data directory or an exported log (default: asks the mediator)')
    .option('--key <vkey>', "the log's verifier key, or a file with it")
    .option('--checkpoint <file>', 'an earlier checkpoint, kept where the mediator cannot reach')
    .option('--proof <file>', 'check this proof of one leaf instead, offline')
    .option('--policy <file>', 'the ledger policy: which witnesses must have cosigned')
    .action(async (_, command: Command) => {
      const { data, key, checkpoint, proof, policy } = verifyFlags.parse(command.opts())
      const json = isJson(command)
      if (proof !== undefined) {
        const { verifyOneProof } = await import('./prove.ts')
        return verifyOneProof({ proof, key, policy, json }, terminal)
      }
      const { verify } = await import('./verify.ts')
      return verify({ data, key, checkpoint, policy, json }, terminal, (use) =>
        reading(command, terminal, use),
      )
    })
  ledger
    .command('export')
    .description('hand out a part of the log as a folder that a stranger can check offline')
    .requiredOption('--out <folder>', 'the folder to make')
    .option('--from <leaf|time>', 'first leaf, by index or RFC 3339 time (default: the first)')
    .option('--to <leaf|time>', 'end, itself not included (default: the whole log)')
    .option('--data <folder>', 'a data directory or an exported log (default: asks the mediator)')
    .option('--key <vkey>', "the log's verifier key, or a file with it")
    .option('--policy <file>', 'the ledger policy: which witnesses must have cosigned')
    .option(
      '--with-values',
      'also what agents and people said, with the salts that prove it',
      false,
    )
    .action(async (_, command: Command) => {
      const { exportBundle } = await import('./export.ts')
      const json = isJson(command)
      const request = { ...exportFlags.parse(command.opts()), json }
      return exportBundle(request, terminal, (use) => reading(command, terminal, use))
    })
  ledgerCustodyCommands(ledger, terminal)
  ledgerWitnessCommands(ledger, terminal)
  ledgerErasureCommands(ledger, terminal)
}

const exportFlags = z.object({
  out: z.string().min(1),
  withValues: z.boolean(),
  from: z.string().optional(),
  to: z.string().optional(),
  policy: z.string().optional(),
  data: z.string().optional(),
  key: z.string().optional(),
})

const verifyFlags = z.object({
  data: z.string().optional(),
  key: z.string().optional(),
  checkpoint: z.string().optional(),
  proof: z.string().optional(),
  policy: z.string().optional(),
})
