import { parseArgs } from 'node:util'
import { JackstayError } from '@jackstay/contract/errors'
import { z } from 'zod'

export interface SettingsSource {
  /** Without node and the script: `process.argv.slice(2)`. */
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  /** Of the environment variables: `JACKSTAY` reads `dataDir` from `JACKSTAY_DATA_DIR`. */
  readonly prefix?: string
}

export interface SettingsOptions extends SettingsSource {
  /** The first line of `--help`: what the program is. */
  readonly help: string
  readonly stdout?: (text: string) => void
  readonly stderr?: (text: string) => void
  readonly exit?: (code: number) => never
}

type Kind = 'text' | 'number' | 'flag' | 'list'

interface Setting {
  readonly key: string
  readonly flag: string
  readonly variable: string
  readonly kind: Kind
  readonly schema: z.ZodType
}

/**
 * A program's configuration: `--data-dir` wins over `JACKSTAY_DATA_DIR`, wins over the schema's
 * default. Keys of `schema` are camelCase; a value is text, number, boolean or list of texts (the
 * flag repeated, the variable split at commas). Prints one line and exits with 2 on a mistake, with
 * 0 on `--help`.
 */
export function settings<S extends z.ZodObject>(schema: S, options: SettingsOptions): z.output<S> {
  const {
    stdout = (text) => process.stdout.write(text),
    stderr = (text) => process.stderr.write(text),
    exit = process.exit,
  } = options
  if (options.argv.includes('--help')) {
    stdout(helpText(schema, options))
    return exit(0)
  }
  try {
    return readSettings(schema, options)
  } catch (error) {
    if (!(error instanceof JackstayError)) throw error
    stderr(`${error.code}: ${error.message}\n`)
    return exit(2)
  }
}

/**
 * The same without printing or exiting.
 * @throws JackstayError `invalid_config`
 */
export function readSettings<S extends z.ZodObject>(
  schema: S,
  { argv, env, prefix = 'JACKSTAY' }: SettingsSource,
): z.output<S> {
  const all = settingsOf(schema, prefix)
  const flags = parseFlags(all, argv)
  const given: Record<string, unknown> = {}
  for (const setting of all) {
    const flag = flags[setting.flag]
    const variable = env[setting.variable]
    if (flag !== undefined) given[setting.key] = convert(setting, flag)
    else if (variable !== undefined && variable !== '') {
      const value = setting.kind === 'list' ? variable.split(',').map((v) => v.trim()) : variable
      given[setting.key] = convert(setting, value, setting.variable)
    }
  }
  const result = schema.safeParse(given)
  if (result.success) return result.data
  const [issue] = result.error.issues
  const setting = all.find(({ key }) => key === issue?.path[0])
  if (!setting || !issue) throw new JackstayError('invalid_config', z.prettifyError(result.error))
  throw mistake(setting, given[setting.key], issue.message)
}

function settingsOf(schema: z.ZodObject, prefix: string): Setting[] {
  return Object.entries(schema.shape).map(([key, value]) => {
    const kebab = key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
    const variable = `${prefix}_${kebab.replaceAll('-', '_').toUpperCase()}`
    if (!(value instanceof z.ZodType)) throw new TypeError(`setting ${key} has no schema`)
    return { key, flag: kebab, variable, kind: kindOf(value), schema: value }
  })
}

function kindOf(schema: z.ZodType): Kind {
  const json = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })
  if (json.type === 'number' || json.type === 'integer') return 'number'
  if (json.type === 'boolean') return 'flag'
  return json.type === 'array' ? 'list' : 'text'
}

type Flags = Readonly<Record<string, string | boolean | (string | boolean)[] | undefined>>

function parseFlags(all: readonly Setting[], argv: readonly string[]): Flags {
  const options = Object.fromEntries(
    all.map(({ flag, kind }) => [
      flag,
      {
        type: kind === 'flag' ? ('boolean' as const) : ('string' as const),
        multiple: kind === 'list',
      },
    ]),
  )
  try {
    return parseArgs({ args: [...argv], options, strict: true, allowNegative: true }).values
  } catch (cause) {
    const said = cause instanceof Error ? (cause.message.split('. ')[0] ?? '') : ''
    const lower = (said.charAt(0).toLowerCase() + said.slice(1)).replaceAll("'", '`')
    throw new JackstayError('invalid_config', `${lower}; \`--help\` lists the flags`, { cause })
  }
}

function convert(setting: Setting, value: unknown, from?: string): unknown {
  if (setting.kind === 'number' && typeof value === 'string') {
    if (!/^-?\d+(\.\d+)?$/.test(value)) throw mistake(setting, value, 'a number is expected', from)
    return Number(value)
  }
  if (setting.kind === 'flag' && typeof value === 'string') {
    if (value === 'true' || value === 'false') return value === 'true'
    throw mistake(setting, value, '`true` or `false` is expected', from)
  }
  return value
}

function mistake(setting: Setting, value: unknown, why: string, from?: string): JackstayError {
  const { flag, variable } = setting
  const reason = why.charAt(0).toLowerCase() + why.slice(1)
  const about = setting.schema.description ? ` (${setting.schema.description})` : ''
  const type = `type \`${example(setting)}\` or set \`${variable}\``
  return new JackstayError(
    'invalid_config',
    value === undefined
      ? `\`--${flag}\`${about} is missing: ${type}`
      : `\`${from ?? `--${flag}`}\`${about} is wrong: ${reason}; ${type}`,
  )
}

function example({ flag, kind }: Setting): string {
  if (kind === 'flag') return `--${flag}`
  return `--${flag} <${kind === 'number' ? 'number' : 'text'}>`
}

const exits =
  'Exit codes: 0 stopped by a signal, 1 ended by a failure, 2 a setting is wrong or missing.'

function helpText(schema: z.ZodObject, { help, prefix = 'JACKSTAY' }: SettingsOptions): string {
  const rows = settingsOf(schema, prefix).map((setting) => {
    const repeat = setting.kind === 'list' ? ' (repeatable)' : ''
    const json = z.toJSONSchema(setting.schema, { io: 'input', unrepresentable: 'any' })
    const preset = json.default === undefined ? '' : ` [default ${JSON.stringify(json.default)}]`
    const needed = setting.schema.safeParse(undefined).success ? '' : ' (required)'
    const text = `${setting.schema.description ?? ''}${repeat}${preset}${needed}`
    return [`  ${example(setting)}`, setting.variable, text] as const
  })
  const wide = (column: 0 | 1) => Math.max(0, ...rows.map((row) => row[column].length))
  const lines = rows.map(([usage, variable, text]) =>
    `${usage.padEnd(wide(0))}  ${variable.padEnd(wide(1))}  ${text}`.trimEnd(),
  )
  return `${help}\n\n${lines.join('\n')}\n  --help\n\n${exits}\n`
}
