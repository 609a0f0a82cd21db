import { readFileSync } from 'node:fs'
import { JackstayError } from '@jackstay/contract/errors'
import { z } from 'zod'
import type { Tls } from './server.ts'

/** How much a program says. */
export const logLevel = z
  .enum(['debug', 'info', 'warn', 'error'])
  .default('info')
  .describe('least severe event logged')

/** The settings of every program that serves HTTP and speaks to the API server. */
export function programSettings(port: number) {
  return {
    kubeconfig: z
      .string()
      .optional()
      .describe('kubeconfig file; without it as kubectl finds one, then the Pod itself'),
    context: z.string().optional().describe('context of the kubeconfig'),
    host: z.string().default('127.0.0.1').describe('address to listen on'),
    port: z.int().min(0).max(65535).default(port).describe('port to listen on'),
    tlsCert: z.string().optional().describe('PEM certificate file; needed beyond loopback'),
    tlsKey: z.string().optional().describe('PEM key file; needed beyond loopback'),
    logLevel,
  }
}

/**
 * Certificate and key, where either is named.
 * @throws JackstayError `invalid_config` when one is missing or cannot be read
 */
export function tlsFrom(files: {
  readonly tlsCert?: string | undefined
  readonly tlsKey?: string | undefined
}): { readonly tls?: Tls } {
  const { tlsCert, tlsKey } = files
  if (!tlsCert && !tlsKey) return {}
  return { tls: { cert: readPem('tls-cert', tlsCert), key: readPem('tls-key', tlsKey) } }
}

function readPem(flag: string, path: string | undefined): string {
  try {
    if (path !== undefined) return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new JackstayError(
      'invalid_config',
      `\`--${flag}\`: cannot read \`${path}\`; check the path`,
      { cause },
    )
  }
  throw new JackstayError(
    'invalid_config',
    `\`--${flag}\` is missing; TLS needs certificate and key`,
  )
}

/** Runs a program's `main`: what stops it is one line, and exit code 2 for configuration, else 1. */
export async function runProgram(main: () => Promise<void>): Promise<void> {
  try {
    await main()
  } catch (error) {
    if (!(error instanceof JackstayError)) throw error
    process.stderr.write(`${error.code}: ${error.message}\n`)
    process.exit(error.code === 'invalid_config' ? 2 : 1)
  }
}
