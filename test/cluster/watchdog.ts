import { spawn } from 'node:child_process'
import { Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { identityOf, type ProcessIdentity } from './process.ts'

/**
 * Starts a process that takes the cluster down when this one ends, in whatever way: it waits for the
 * end of a pipe whose other end only this process holds. A shell waits, since it is small; it becomes
 * the command line's `down` when it has something to do.
 */
export function startWatchdog(name: string, id: string): ProcessIdentity {
  const main = fileURLToPath(new URL('main.ts', import.meta.url))
  const down = [process.execPath, main, 'down', '--name', name, '--id', id]
  const child = spawn('/bin/sh', ['-c', 'read -r _; exec "$@" </dev/null', 'watchdog', ...down], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    env: process.env,
  })
  const identity = child.pid === undefined ? undefined : identityOf(child.pid)
  if (identity === undefined) throw new Error('the watchdog cannot be started, is /bin/sh there?')
  child.unref()
  // a program that has finished must be able to end with its cluster still up
  if (child.stdin instanceof Socket) child.stdin.unref()
  return identity
}
