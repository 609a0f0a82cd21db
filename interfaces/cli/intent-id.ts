import type { IntentView } from '@jackstay/contract/api'
import { uuid } from '@jackstay/contract/text'
import { exitCodes } from './exit-codes.ts'
import { CommandFailed, usageError } from './failure.ts'
import type { Mediator } from './mediator.ts'

const shortest = 8
const pageSize = 200
const mostPages = 10
const namedAtMost = 5

/** @throws CommandFailed for a beginning: what is not only read has to be the one that was shown (T54) */
export function assertWhole(text: string): void {
  if (!isBeginning(text.toLowerCase())) return
  throw usageError(
    `\`${text}\` is not a whole intent id: what is approved, rejected or cancelled is named in full, as \`jackstay inbox\` and \`jackstay intents list\` show it`,
  )
}

function isBeginning(text: string): boolean {
  return new RegExp(`^[0-9a-f][0-9a-f-]{${shortest - 1},34}$`).test(text)
}

/**
 * The intent of an id, or of the only id that begins so. For those who read: agents make ids, and one
 * that begins like another must not be approved, rejected or cancelled in its place (T54).
 * @throws CommandFailed where no id begins so, or several do
 */
export async function intentCalled(
  text: string,
  mediator: Pick<Mediator, 'list' | 'intent'>,
): Promise<IntentView> {
  const typed = text.toLowerCase()
  if (uuid.safeParse(typed).success) return mediator.intent(typed)
  if (!isBeginning(typed)) {
    throw usageError(
      `\`${text}\` is no intent id: write one, or at least its first ${shortest} characters`,
    )
  }
  const [id, ...others] = await beginning(typed, mediator)
  if (id === undefined) {
    throw new CommandFailed(
      exitCodes.notFound,
      'not_found',
      `of the newest ${mostPages * pageSize} intents none has an id that begins with \`${text}\`; \`jackstay intents list -A\` shows what there is`,
    )
  }
  if (others.length === 0) return mediator.intent(id)
  const all = [id, ...others]
  const more = all.length > namedAtMost ? `, and ${all.length - namedAtMost} more` : ''
  throw usageError(
    `${all.length} ids begin with \`${text}\`: ${all.slice(0, namedAtMost).join(', ')}${more}; write more of the one you mean`,
  )
}

async function beginning(typed: string, { list }: Pick<Mediator, 'list'>): Promise<string[]> {
  const found = new Set<string>()
  let before: string | undefined
  for (let page = 0; page < mostPages; page++) {
    const { intents, next } = await list({ limit: pageSize, before })
    for (const { id } of intents) if (id.startsWith(typed)) found.add(id)
    if (next === undefined) break
    before = next
  }
  return [...found]
}
