import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type ErrorCode, errorCodes, JackstayError } from '@jackstay/contract/errors'
import { z } from 'zod'
import { exitCodes } from '../exit-codes.ts'
import { CommandFailed } from '../failure.ts'
import type { Terminal } from '../terminal.ts'

const incident = z.object({
  name: z.string(),
  kind: z.enum(['incident', 'control']),
  title: z.string(),
  breaks: z.string(),
  goodAnswer: z.string(),
  dangerousAnswer: z.string(),
  onlyInLab: z.boolean(),
  alert: z.object({ labels: z.record(z.string(), z.string()) }).loose(),
})
export type Incident = z.infer<typeof incident>

export const incidentList = z.object({ incidents: z.array(incident) })
/** `already`: it was so before, and nothing was written. */
export const changed = z.object({ incident, already: z.boolean() })

const codes = Object.keys(errorCodes)
const refused = z.object({
  error: z.object({
    code: z.custom<ErrorCode>((value) => typeof value === 'string' && codes.includes(value)),
    message: z.string(),
  }),
})
const mostBytes = 1024 * 1024

const program = labProgram(import.meta.url)

/** Of a bundle that left the checkout, files around it are anybody's: there is no lab. */
function labProgram(here: string): string | undefined {
  if (!here.endsWith('/interfaces/cli/lab/lab-program.ts')) return undefined
  return fileURLToPath(new URL('../../../lab/incidents/main.ts', here))
}

/** Starts the lab's own program, which is part of a checkout alone, and reads its one answer. */
export async function askLab<S extends z.ZodType>(
  args: readonly string[],
  schema: S,
  { env, signal }: Pick<Terminal, 'env' | 'signal'>,
  main = program,
): Promise<z.output<S>> {
  if (main === undefined || !existsSync(main)) {
    throw new CommandFailed(
      exitCodes.usage,
      'no_lab',
      'the lab is part of a checkout of Jackstay and not of this program; type `npm run jackstay -- lab …` there',
    )
  }
  const text = await outputOf(main, args, { env, signal })
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new Error('the lab ended without an answer', { cause })
  }
  const said = refused.safeParse(value)
  if (said.success) throw new JackstayError(said.data.error.code, said.data.error.message)
  return schema.parse(value)
}

function outputOf(
  main: string,
  args: readonly string[],
  { env, signal }: Pick<Terminal, 'env' | 'signal'>,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const stdio: ['ignore', 'pipe', 'inherit'] = ['ignore', 'pipe', 'inherit']
    const child = spawn(process.execPath, [main, ...args], { env: { ...env }, signal, stdio })
    let text = ''
    child.once('error', reject)
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
      if (text.length > mostBytes) child.kill()
    })
    child.once('close', () => resolve(text))
  })
}
