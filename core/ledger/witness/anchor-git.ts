import { spawn } from 'node:child_process'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { JackstayError } from '@jackstay/contract/errors'
import type { Anchor } from './anchor.ts'

export interface GitAnchorOptions {
  readonly name: string
  /** Whatever `git push` takes. */
  readonly remote: string
  readonly branch: string
  /** The file in the repository that holds the newest checkpoint; its history holds the others. */
  readonly file: string
  /** A folder of ours for the objects on their way; may be lost. */
  readonly workspace: string
  readonly timeoutMs: number
}

const base = 'refs/jackstay/base'

/**
 * One commit for each checkpoint, pushed without force: a branch that somebody rewrote or a push
 * that lost a race fails, and the next round begins from what the remote has then.
 */
export function gitAnchor(options: GitAnchorOptions): Anchor {
  const { name, remote, branch, file, timeoutMs } = options
  const git = (signal: AbortSignal) => {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
    return (args: readonly string[], input?: string) => runGit(options, args, limit, input)
  }
  return {
    name,
    description: `git ${withoutPassword(remote)} ${branch}`,
    async push(note, signal) {
      const run = git(signal)
      const parent = await fetchBranch(options, run)
      // The index is rebuilt from what the remote has, so a stale one never reaches a commit.
      await rm(join(options.workspace, 'index'), { force: true })
      if (parent !== undefined) await run(['read-tree', parent])
      const blob = await run(['hash-object', '-w', '--stdin'], note)
      await run(['update-index', '--add', '--cacheinfo', `100644,${blob},${file}`])
      const tree = await run(['write-tree'])
      const [origin = '', size = ''] = note.split('\n')
      const onto = parent === undefined ? [] : ['-p', parent]
      const commit = await run(['commit-tree', tree, ...onto], `checkpoint ${size} of ${origin}\n`)
      await run(['push', '--quiet', '--', remote, `${commit}:refs/heads/${branch}`])
    },
    async newest(signal) {
      const run = git(signal)
      const parent = await fetchBranch(options, run)
      if (parent === undefined) return undefined
      const listed = await run(['ls-tree', '--name-only', parent, '--', file])
      return listed === '' ? undefined : `${await run(['cat-file', 'blob', `${parent}:${file}`])}\n`
    },
  }
}

type Run = (args: readonly string[], input?: string) => Promise<string>

/** The commit the branch is at, or undefined where the remote has no such branch yet. */
async function fetchBranch(
  { remote, branch, workspace }: GitAnchorOptions,
  run: Run,
): Promise<string | undefined> {
  await mkdir(workspace, { recursive: true, mode: 0o700 })
  await run(['init', '--quiet', '--bare', '.'])
  const ref = `refs/heads/${branch}`
  const listed = await run(['ls-remote', '--', remote, ref])
  if (listed === '') return undefined
  await run(['fetch', '--quiet', '--depth=1', '--', remote, `+${ref}:${base}`])
  return run(['rev-parse', base])
}

/** Runs `git` with no terminal to ask on and answers what it printed. @throws JackstayError */
function runGit(
  { workspace }: GitAnchorOptions,
  args: readonly string[],
  signal: AbortSignal,
  input = '',
): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const child = spawn('git', args, { cwd: workspace, env: gitEnvironment(workspace), signal })
  let out = ''
  let err = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out = `${out}${text}`.slice(-outputLimit)
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err = `${err}${text}`.slice(-outputLimit)
  })
  // A git that ends before it has read its input says why on standard error.
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  child.once('error', (cause) => {
    const why = cause.name === 'AbortError' ? 'it took too long' : 'the program cannot be started'
    reject(new JackstayError('upstream_unavailable', `\`git ${args[0]}\`: ${why}`, { cause }))
  })
  child.once('close', (code) => {
    if (code === 0) return resolve(out.trimEnd())
    const why = withoutPassword(err.trim().replaceAll('\n', ' ').slice(-300))
    reject(new JackstayError('upstream_unavailable', `\`git ${args[0]}\` failed: ${why}`))
  })
  return promise
}

const outputLimit = 1024 * 1024

function gitEnvironment(workspace: string): NodeJS.ProcessEnv {
  const { GIT_SSH_COMMAND = 'ssh -o BatchMode=yes', ...inherited } = process.env
  const who = { name: 'Jackstay', email: 'ledger@jackstay.invalid' }
  return {
    ...Object.fromEntries(Object.entries(inherited).filter(([key]) => !key.startsWith('GIT_'))),
    GIT_SSH_COMMAND,
    GIT_DIR: workspace,
    GIT_TERMINAL_PROMPT: '0',
    // a remote of the form `ext::…` would run any program
    GIT_ALLOW_PROTOCOL: 'file:git:http:https:ssh',
    GIT_AUTHOR_NAME: who.name,
    GIT_AUTHOR_EMAIL: who.email,
    GIT_COMMITTER_NAME: who.name,
    GIT_COMMITTER_EMAIL: who.email,
    LC_ALL: 'C',
  }
}

function withoutPassword(text: string): string {
  return text.replace(/(\w:\/\/)[^/@\s]+@/g, '$1')
}
