import { readFile } from 'node:fs/promises'
import { dirname, isAbsolute, join, relative, resolve } from 'node:path'
import { JackstayError } from '@jackstay/contract/errors'
import { parse } from 'yaml'
import { z } from 'zod'
import type { Clock } from '../store/store.ts'
import { wrongField } from '../store/wrong-field.ts'
import type { Anchor } from './anchor.ts'
import { fileAnchor } from './anchor-file.ts'
import { gitAnchor } from './anchor-git.ts'
import { httpAnchor } from './anchor-http.ts'
import type { Requester } from './witness-client.ts'
import { parseWitnessPolicy, type WitnessPolicy } from './witness-policy.ts'

const named = { name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/) }
const anchor = z.union([
  z.strictObject({ ...named, file: z.string().min(1) }),
  z.strictObject({
    ...named,
    http: z
      .url({ protocol: /^https?$/ })
      .refine(isPrivate, 'plain HTTP beyond this machine would show the token: use https'),
    tokenFile: z.string().min(1).optional(),
  }),
  z.strictObject({
    ...named,
    // a dash would be read as a flag, `ext::` would run a program
    git: z.string().regex(/^(?!-)(?!ext::)\S+$/),
    branch: z.string().regex(/^(?!-)[\w./-]{1,200}$/),
    path: z
      .string()
      .regex(/^[\w-][\w.-]*(\/[\w-][\w.-]*)*$/)
      .default('checkpoint'),
  }),
])

/** Beyond this machine plain HTTP would show the token. */
function isPrivate(address: string): boolean {
  const { protocol, hostname } = new URL(address)
  return protocol === 'https:' || ['localhost', '127.0.0.1', '[::1]'].includes(hostname)
}

const seconds = z
  .number()
  .min(1)
  .max(86_400 * 30)

/** What stands in the file: YAML or JSON. */
const fileSchema = z.strictObject({
  witnesses: z
    .strictObject({
      /** A file in the format of https://c2sp.org/tlog-policy, seen from this one. */
      policy: z.string().min(1),
      /** No evidence leaves without the quorum. */
      required: z.boolean().default(false),
      everySeconds: seconds.default(60),
    })
    .optional(),
  anchors: z.array(anchor).max(16).default([]),
  anchorEverySeconds: seconds.default(60),
  /** How old the newest kept checkpoint may be while the log grows. */
  staleAfterSeconds: seconds.default(3600),
  timeoutSeconds: z.number().min(1).max(120).default(15),
})

type AnchorSettings = z.infer<typeof anchor>

/** Who has to see the log besides its owner, and where its checkpoints are kept. */
export interface LedgerPolicy {
  readonly witnesses?: {
    readonly policy: WitnessPolicy
    readonly required: boolean
    readonly everyMs: number
  }
  readonly anchors: readonly AnchorSettings[]
  readonly anchorEveryMs: number
  readonly staleMs: number
  readonly timeoutMs: number
  /** Paths in the file are seen from here. */
  readonly folder: string
}

/** What holds without a file: no witness, no anchor. */
export const noLedgerPolicy: LedgerPolicy = settingsOf(fileSchema.parse({}), '.')

/** @throws JackstayError `invalid_config` naming the file and what is wrong in it */
export async function loadLedgerPolicy(path: string): Promise<LedgerPolicy> {
  const found = fileSchema.safeParse(yamlOf(path, await textOf(path)))
  if (!found.success) throw invalid(path, wrongField(found.error))
  const { witnesses, anchors } = found.data
  const names = new Set(anchors.map(({ name }) => name))
  if (names.size < anchors.length) throw invalid(path, 'two anchors have the same name')
  const folder = dirname(resolve(path))
  const witnessFile = witnesses && resolve(folder, witnesses.policy)
  return {
    ...(witnesses !== undefined &&
      witnessFile !== undefined && {
        witnesses: {
          policy: parseWitnessPolicy(await textOf(witnessFile)),
          required: witnesses.required,
          everyMs: witnesses.everySeconds * 1000,
        },
      }),
    ...settingsOf(found.data, folder),
  }
}

/** All but the witnesses, whose list is another file. */
function settingsOf(file: z.infer<typeof fileSchema>, folder: string): LedgerPolicy {
  const { anchors, anchorEverySeconds, staleAfterSeconds, timeoutSeconds } = file
  return {
    anchors,
    anchorEveryMs: anchorEverySeconds * 1000,
    staleMs: staleAfterSeconds * 1000,
    timeoutMs: timeoutSeconds * 1000,
    folder,
  }
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause)
    throw new JackstayError(
      'invalid_config',
      `\`${path}\` cannot be read (${code}); correct the path`,
      { cause },
    )
  }
}

function yamlOf(path: string, text: string): unknown {
  try {
    return parse(text, { maxAliasCount: 0 })
  } catch (error) {
    throw invalid(path, error instanceof Error ? (error.message.split('\n')[0] ?? '') : 'no YAML')
  }
}

function invalid(path: string, what: string): JackstayError {
  return new JackstayError(
    'invalid_config',
    `\`${path}\` is no ledger policy: ${what}; docs/guide/evidence.md shows one`,
  )
}

/**
 * The anchors of a policy. `directory` is the data directory: an anchor inside it would vanish with
 * what it is to testify against.
 * @throws JackstayError `invalid_config`
 */
export function anchorsOf(
  { anchors, folder, timeoutMs }: LedgerPolicy,
  directory: string,
  { clock, fetch }: { readonly clock: Clock; readonly fetch: Requester['fetch'] },
): readonly Anchor[] {
  return anchors.map((settings): Anchor => {
    const { name } = settings
    if ('file' in settings) {
      const path = resolve(folder, settings.file)
      assertOutside(name, path, directory)
      return fileAnchor({ name, path, now: () => new Date(clock.now()) })
    }
    if ('http' in settings) {
      const { http, tokenFile } = settings
      const token = tokenFile === undefined ? {} : { tokenFile: resolve(folder, tokenFile) }
      return httpAnchor({ name, url: new URL(http), timeoutMs, fetch, ...token })
    }
    const { git: remote, branch, path: file } = settings
    const workspace = join(resolve(directory), `anchor-${name}.git`)
    return gitAnchor({ name, remote, branch, file, workspace, timeoutMs })
  })
}

function assertOutside(name: string, path: string, directory: string): void {
  const seen = relative(resolve(directory), path)
  if (seen.startsWith('..') || isAbsolute(seen)) return
  throw new JackstayError(
    'invalid_config',
    `the anchor \`${name}\` lies in the data directory and would be lost with it: name a file elsewhere`,
  )
}
