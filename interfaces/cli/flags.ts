import type { Command } from 'commander'
import { z } from 'zod'
import { usageError } from './failure.ts'

export const outputs = ['text', 'wide', 'json', 'yaml'] as const

/** Flags that every command takes. */
const globalFlags = z.object({
  output: z.enum(outputs),
  kubeconfig: z.string().optional(),
  context: z.string().optional(),
  server: z.string().optional(),
})
export type GlobalFlags = z.infer<typeof globalFlags>

export const defaultServer = 'http://127.0.0.1:7440'

/** The flags that every command takes, as this one was given them. */
export function flagsOf(command: Command): GlobalFlags {
  return globalFlags.parse(command.optsWithGlobals())
}

/** Whether a machine reads what this command says. @throws CommandFailed for `-o wide` */
export function isJson(command: Command): boolean {
  const shape = shapeOf(command)
  if (shape !== 'wide') return shape === 'data'
  throw usageError(
    'this command has no wider form: leave `-o wide` out, or use `-o json` or `-o yaml`',
  )
}

/** How a command that lists things says them. */
export type Shape = 'text' | 'wide' | 'data'

export function shapeOf(command: Command): Shape {
  const { output } = flagsOf(command)
  return output === 'json' || output === 'yaml' ? 'data' : output
}
