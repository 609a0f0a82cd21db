import { type ErrorCode, JackstayError } from '@jackstay/contract/errors'
import { statusOf } from '@jackstay/kube/status'
import { CommanderError } from 'commander'
import { type ExitCode, exitCodes } from './exit-codes.ts'

/** How a command ends that did not do what was asked: one line and an exit code. */
export interface Failure {
  readonly exit: ExitCode
  readonly code: string
  readonly message: string
}

/** An outcome that is no bug and no breakdown: the answer was no, or the input was wrong. */
export class CommandFailed extends Error {
  readonly exit: ExitCode
  readonly code: string

  constructor(exit: ExitCode, code: string, message: string) {
    super(message)
    this.name = 'CommandFailed'
    this.exit = exit
    this.code = code
  }
}

export function usageError(message: string): CommandFailed {
  return new CommandFailed(exitCodes.usage, 'usage', message)
}

/** A file or folder that was named and cannot be read, and why by the system's own word. */
export function unreadable(path: string, cause: unknown): CommandFailed {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause)
  const exit = code === 'ENOENT' ? exitCodes.notFound : exitCodes.usage
  const message = `\`${path}\` cannot be read (${code}); correct the path`
  return new CommandFailed(exit, 'unreadable_file', message)
}

const exits: Partial<Record<ErrorCode, ExitCode>> = {
  not_found: exitCodes.notFound,
  ledger_damaged: exitCodes.ledger,
  invalid_config: exitCodes.usage,
  invalid_request: exitCodes.usage,
  unauthenticated: exitCodes.unreachable,
  wrong_audience: exitCodes.unreachable,
  forbidden: exitCodes.unreachable,
  upstream_unavailable: exitCodes.unreachable,
  outcome_unknown: exitCodes.unreachable,
  not_ready: exitCodes.unreachable,
  overloaded: exitCodes.unreachable,
  draining: exitCodes.unreachable,
  rate_limited: exitCodes.unreachable,
  too_slow: exitCodes.unreachable,
}

/** The command that a line was about: it has help, and an example of how it is typed. */
export interface Typed {
  readonly command: string
  readonly example?: string | undefined
  /** Of a group of commands, the words that may follow. */
  readonly follow?: readonly string[]
}

/** Any error as one line for people and a code for scripts, never a stack trace. */
export function failureOf(error: unknown, typed: Typed = { command: 'jackstay' }): Failure {
  if (error instanceof CommandFailed) return error
  if (error instanceof CommanderError) return wrongUsage(error, typed)
  if (error instanceof JackstayError) {
    const { code, message } = error
    // 401 and 403 of the API server share the code `cluster_refused` with plain mistakes
    const status = statusOf(error)?.code
    const keptOut = code === 'cluster_refused' && (status === 401 || status === 403)
    const exit = keptOut ? exitCodes.unreachable : (exits[code] ?? exitCodes.refused)
    return { exit, code, message }
  }
  const disk = diskFailure(error)
  if (disk !== undefined) return disk
  const message = error instanceof Error ? error.message : String(error)
  if (error instanceof Error && error.name === 'AbortError') {
    return {
      exit: exitCodes.refused,
      code: 'interrupted',
      message: 'interrupted, nothing more was sent',
    }
  }
  return {
    exit: exitCodes.refused,
    code: 'internal',
    message: `a bug of ours: ${message}; please report it with the command you typed`,
  }
}

const diskProblems: Readonly<Record<string, string>> = {
  EACCES: 'may not be used by you: run this as the user who owns it',
  EPERM: 'may not be used by you: run this as the user who owns it',
  ENOENT: 'is not there: correct the path',
  ENOTDIR: 'lies below something that is no folder: correct the path',
  EISDIR: 'is a folder: name a file',
  EEXIST: 'is there already: name another',
  EROFS: 'is on a disk that cannot be written to: name another place',
  ENOSPC: 'does not fit on its disk: make room and run this again',
}

/** A file that cannot be used is no bug, whichever command met it. */
function diskFailure(error: unknown): Failure | undefined {
  if (!(error instanceof Error && 'code' in error && 'path' in error)) return undefined
  const problem = diskProblems[String(error.code)]
  if (problem === undefined) return undefined
  const message = `\`${String(error.path)}\` ${problem} (${String(error.code)})`
  const exit = error.code === 'ENOENT' ? exitCodes.notFound : exitCodes.usage
  return { exit, code: 'unusable_file', message }
}

/** Commander's words in the style of ours. */
function wrongUsage({ message, code }: CommanderError, typed: Typed): Failure {
  const { command, example, follow = [] } = typed
  if (code === 'commander.excessArguments' && follow.length > 0) {
    // a group that lists without a word takes an unknown one for something to list
    const [, word] = /got \d+: ([^,.]*)/.exec(message) ?? []
    return usageError(`\`${word}\` is none of \`${command}\`: ${follow.join(', ')}`)
  }
  const text = message
    .replace(/^error: /, '')
    .replaceAll("'", '`')
    .replace(/\n\(Did you mean (.*)\?\)/, ', did you mean `$1`?')
    .replaceAll('\n', ' ')
    .replace(/ is invalid\. (.)/, (_, first: string) => ` is invalid: ${first.toLowerCase()}`)
    .replace(/\.$/, '')
  const asks = /^(missing|required)/.test(text)
  const shown = asks && example !== undefined ? `, like \`${example}\`` : ''
  const advice = text.endsWith('?') ? '' : `${shown}; see \`${command} --help\``
  return { exit: exitCodes.usage, code: 'usage', message: `${text}${advice}` }
}
