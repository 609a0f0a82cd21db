import { execFile } from 'node:child_process'

export interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly signal: AbortSignal
  readonly stdin?: string
  readonly env?: Readonly<Record<string, string>>
  readonly timeoutMs?: number
}

/** Runs a command to its end, within a minute unless told otherwise. */
export function run(command: string, args: readonly string[], options: RunOptions): Promise<Ran> {
  const { signal, stdin, env, timeoutMs = 60_000 } = options
  return new Promise((resolve, reject) => {
    const child = execFile(
      command,
      args,
      {
        signal,
        timeout: timeoutMs,
        maxBuffer: 64 * 1024 * 1024,
        env: { ...process.env, ...env },
      },
      (error, stdout, stderr) => {
        if (signal.aborted) return reject(signal.reason)
        if (error === null) return resolve({ code: 0, stdout, stderr })
        if (typeof error.code === 'number') return resolve({ code: error.code, stdout, stderr })
        reject(
          new Error(`\`${command}\` did not end by itself: ${error.message}`, { cause: error }),
        )
      },
    )
    child.stdin?.end(stdin ?? '')
  })
}

/** The same for commands that must succeed. @throws Error with what the command said */
export async function demand(
  command: string,
  args: readonly string[],
  options: RunOptions,
): Promise<string> {
  const { code, stdout, stderr } = await run(command, args, options)
  if (code !== 0) {
    throw new Error(
      `\`${command.split('/').at(-1)} ${args.join(' ')}\` failed:\n${stderr || stdout}`,
    )
  }
  return stdout
}
