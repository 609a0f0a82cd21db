import pino from 'pino'
import { type Redactor, redactJson } from './redact.ts'

export { type Redactor, redactor } from './redact.ts'

/** pino's logger: `log.info({ intentId }, 'intent dispatched')`. */
export type Log = pino.Logger

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent'

export interface LogOptions {
  /** Becomes the field `program`. */
  readonly name: string
  readonly level?: LogLevel
  /** Removes the values the program holds; without it only secret fields are emptied. */
  readonly redact?: Redactor
  /** Where lines go: standard error unless told. */
  readonly write?: (line: string) => void
}

const withheld = '{"level":"error","msg":"log line withheld: redaction failed"}\n'

/**
 * Events as JSON lines: constant message, data in fields. Every line is redacted as a whole, after
 * it was put together, so no serializer, error cause or nested field escapes.
 */
export function logger({ name, level = 'info', redact = (text) => text, write }: LogOptions): Log {
  const sink = write ?? stderr()
  const clean = (line: string): string => {
    try {
      return `${JSON.stringify(redactJson(JSON.parse(line), redact))}\n`
    } catch {
      return withheld // fail closed: a line we cannot look through may hold anything
    }
  }
  return pino(
    {
      level,
      base: { program: name },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: {
        err: pino.stdSerializers.errWithCause,
        error: pino.stdSerializers.errWithCause,
      },
    },
    { write: (line: string) => sink(clean(line)) },
  )
}

function stderr(): (line: string) => void {
  const destination = pino.destination({ dest: 2, sync: true })
  return (line) => destination.write(line)
}
