import { type Command, InvalidArgumentError } from 'commander'
import { z } from 'zod'
import { clustering, reading } from '../command.ts'
import { exitCodes } from '../exit-codes.ts'
import { CommandFailed } from '../failure.ts'
import { flagsOf, isJson, shapeOf } from '../flags.ts'
import { print, printData, type Terminal } from '../terminal.ts'

/** The line as a whole: `status`, `inbox`, `breakers`, `windows`, `agents`, `watch`, `cancel`. */
export function lineCommands(program: Command, terminal: Terminal): void {
  program
    .command('status')
    .description('one screen: what runs, what is stopped, what waits; exit code 6: look at it')
    .action((_, command: Command) => status(command, terminal))
  program
    .command('inbox')
    .description('what waits for people, the next to expire first, with the commands to type')
    .option('--limit <n>', 'at most so many, 1 to 200', wholeNumber(200), 20)
    .action((_, command: Command) => inbox(command, terminal))
  breakersCommands(program.command('breakers'), terminal)
  program
    .command('windows')
    .description('change windows: which are open now, and when that changes')
    .option('--preview <duration>', 'also every opening within this time, like 12h or 7d', ahead)
    .option('--at <time>', 'as of another time than now: a date, or RFC 3339', instant)
    .action((_, command: Command) => windows(command, terminal))
  const agents = program.command('agents').description('who may ask for anything at all')
  agents
    .command('list', { isDefault: true })
    .description('enrolled agents: live, suspended, revoked, last seen (also without `list`)')
    .action((_, command: Command) => listAgents(command, terminal))
  watching(program.command('watch'), terminal)
  program
    .command('cancel <id>')
    .description('delete an intent with your own rights, and wait until it has ended')
    .option('-n, --namespace <name>', 'namespace of the intent (default: looks in all)')
    .option('--timeout <seconds>', 'how long to wait for it', wholeNumber(3600), 30)
    .action((id: string, _, command: Command) => cancel(id, command, terminal))
}

function breakersCommands(group: Command, terminal: Terminal): void {
  group.description('who is kept from asking for a while')
  group
    .command('list', { isDefault: true })
    .description('open and half-open ones: why, and until when (also without `list`)')
    .action((_, command: Command) => breakers(command, terminal))
  group
    .command('reset <class>')
    .description('close what is open of a class, as whoever may patch the class')
    .option('--scope <scope>', 'only one of this scope: agent, class, action or target')
    .option('--key <key>', 'of that one, as `jackstay breakers` shows it')
    .action((name: string, _, command: Command) => reset(name, command, terminal))
}

/** `watch`, and the same as `intents watch`. */
export function watching(command: Command, terminal: Terminal): void {
  command
    .description('show every change of every intent as it happens')
    .option('-n, --namespace <name>', 'only targets in this one')
    .option('--count <n>', 'stop after so many changes', wholeNumber(1_000_000))
    .action(async (_, self: Command) => {
      const flags = watchFlags.parse(self.opts())
      if (flagsOf(self).output === 'yaml') {
        throw new CommandFailed(
          exitCodes.usage,
          'usage',
          'a stream has no end for YAML: use -o json',
        )
      }
      const { watch } = await import('./watch.ts')
      await watch({ ...flags, json: isJson(self) }, (use) => reading(self, terminal, use), terminal)
    })
}

async function status(command: Command, terminal: Terminal): Promise<void> {
  const json = isJson(command)
  const { gatherStatus, verdictOf } = await import('./status.ts')
  const { openMediator } = await import('../mediator.ts')
  const { serverUrl } = await import('../connection.ts')
  const url = serverUrl(flagsOf(command), terminal)
  await clustering(command, terminal, async (client) => {
    const now = Date.now()
    const { signal } = terminal
    const mediator = () => openMediator(url, client, signal)
    const found = await gatherStatus({ client, mediator, now, signal })
    const { verdict, why } = verdictOf(found, now)
    if (json) printData(terminal, { verdict, why, ...found })
    else {
      const { statusLines } = await import('./status-lines.ts')
      print(terminal, statusLines(found, now))
    }
    if (verdict === 'unreachable') {
      throw new CommandFailed(exitCodes.unreachable, 'partly_seen', why.join('; '))
    }
    if (verdict === 'attention') {
      throw new CommandFailed(exitCodes.attention, 'needs_attention', why.join('; '))
    }
  })
}

async function inbox(command: Command, terminal: Terminal): Promise<void> {
  const { limit } = inboxFlags.parse(command.opts())
  const shape = shapeOf(command)
  const { inboxLines, inboxTable, readInbox } = await import('./inbox.ts')
  const found = await reading(command, terminal, (mediator) => readInbox(mediator, limit))
  if (shape === 'data') return printData(terminal, found)
  print(terminal, (shape === 'wide' ? inboxTable : inboxLines)(found, Date.now()))
}

async function breakers(command: Command, terminal: Terminal): Promise<void> {
  const shape = shapeOf(command)
  const { breakerLines, readBreakers } = await import('./breakers.ts')
  const found = await reading(command, terminal, readBreakers)
  if (shape === 'data') return printData(terminal, found)
  print(terminal, breakerLines(found, Date.now(), shape === 'wide'))
}

async function reset(name: string, command: Command, terminal: Terminal): Promise<void> {
  const { oneOf, resetBreakers } = await import('./breakers-reset.ts')
  const only = oneOf(resetFlags.parse(command.opts()))
  await clustering(command, terminal, (client) =>
    resetBreakers({ class: name, only, json: isJson(command) }, client, terminal),
  )
}

async function windows(command: Command, terminal: Terminal): Promise<void> {
  const { preview = 0, at } = windowFlags.parse(command.opts())
  const shape = shapeOf(command)
  const { readWindows, windowLines } = await import('./windows.ts')
  const now = at ?? Date.now()
  const found = await clustering(command, terminal, (client) =>
    readWindows(client, now, preview, terminal.signal),
  )
  if (shape === 'data') return printData(terminal, { windows: found })
  print(terminal, windowLines(found, now, shape === 'wide'))
}

async function listAgents(command: Command, terminal: Terminal): Promise<void> {
  const shape = shapeOf(command)
  const { agentLines, keysOf, readAgents, withStops } = await import('./agents.ts')
  const { standing } = await import('../stop/standing.ts')
  const { openMediator } = await import('../mediator.ts')
  const { serverUrl } = await import('../connection.ts')
  const url = serverUrl(flagsOf(command), terminal)
  const { signal } = terminal
  const { away, agents } = await clustering(command, terminal, async (client) => {
    const [seen, { stops }] = await Promise.all([
      openMediator(url, client, signal)
        .then(readAgents)
        .catch((error: unknown) => {
          if (signal.aborted) throw error
          return error instanceof Error ? error : new Error(String(error))
        }),
      standing(client, signal),
    ])
    const keys = seen instanceof Error ? await keysOf(client, signal) : seen.agents
    return {
      away: seen instanceof Error ? seen.message : undefined,
      agents: withStops(keys, stops),
    }
  })
  if (away !== undefined) terminal.err(`… keys alone, whether Pods live is not seen: ${away}\n`)
  if (shape === 'data') return printData(terminal, { agents })
  print(terminal, agentLines(agents, Date.now(), shape === 'wide'))
}

async function cancel(id: string, command: Command, terminal: Terminal): Promise<void> {
  const { namespace, timeout } = cancelFlags.parse(command.opts())
  const json = isJson(command)
  const recorded = async () =>
    (await reading(command, terminal, (mediator) => mediator.intent(id))).summary.phase
  const request = { id, namespace, timeoutMs: timeout * 1000, json, recorded }
  const { cancel: run } = await import('./cancel.ts')
  await clustering(command, terminal, (client) => run(request, client, terminal))
}

const inboxFlags = z.object({ limit: z.number() })
const windowFlags = z.object({ preview: z.number().optional(), at: z.number().optional() })
const watchFlags = z.object({ namespace: z.string().optional(), count: z.number().optional() })
const resetFlags = z.object({ scope: z.string().optional(), key: z.string().optional() })
const cancelFlags = z.object({ namespace: z.string().optional(), timeout: z.number() })

function wholeNumber(most: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (Number.isInteger(value) && value >= 1 && value <= most) return value
    throw new InvalidArgumentError(`write a number from 1 to ${most}.`)
  }
}

const dayMs = 24 * 3600_000

function ahead(text: string): number {
  const [, count = '', unit = ''] = /^(\d{1,4})([hd])$/.exec(text) ?? []
  const ms = Number(count) * (unit === 'd' ? dayMs : 3600_000)
  if (ms > 0 && ms <= 60 * dayMs) return ms
  throw new InvalidArgumentError('write a time like 12h or 7d, 60 days at most.')
}

function instant(text: string): number {
  const ms = /^\d{4}-\d\d-\d\d(T.+)?$/.test(text) ? Date.parse(text) : Number.NaN
  if (!Number.isNaN(ms)) return ms
  throw new InvalidArgumentError('write a date like 2027-03-28, or 2027-03-28T01:00:00Z.')
}
