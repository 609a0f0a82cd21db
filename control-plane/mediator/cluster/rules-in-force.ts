import type { Decision } from '@jackstay/contract/decision'
import type { NamedPolicy, RuleProblem } from '@jackstay/judge/rules'
import type { JudgeThread, Question } from '@jackstay/judge/thread'
import type { RulesPort } from '../ports.ts'

/** Where policies come from. */
export interface PolicySource {
  values(): Iterable<NamedPolicy>
  onChange(handler: () => void): () => void
}

/** The rules as they stand in the cluster, on a thread of their own. */
export interface RulesInForce extends RulesPort {
  /** What is wrong with the rules that are loaded. */
  problems(): readonly RuleProblem[]
  /** Whether the rules as they stand now are loaded. */
  loaded(): boolean
  stop(): void
}

/** Milliseconds until rules that could not be loaded are tried again. */
const retryMs = 1_000

/**
 * Loads the rules on every change, a burst of changes once, and before whatever is asked after it:
 * nothing is judged by rules that are gone (T19). Until they are loaded, questions wait; where they
 * cannot be loaded, they are denied (T17).
 */
export function rulesInForce(
  source: PolicySource,
  judge: Pick<JudgeThread, 'load' | 'decide' | 'ready'>,
  report: { readonly onLoaded: () => void; readonly onError: (error: unknown) => void },
): RulesInForce {
  let changed = true
  let problems: readonly RuleProblem[] = []
  let soon: NodeJS.Immediate | undefined
  let retry: NodeJS.Timeout | undefined
  let stopped = false
  const load = () => {
    if (!changed || stopped) return
    changed = false
    judge.load([...source.values()].map(({ name, spec }) => ({ name, spec }))).then(
      (loaded) => {
        problems = loaded.problems
        report.onLoaded()
      },
      (error: unknown) => {
        if (stopped) return
        report.onError(error)
        clearTimeout(retry)
        retry = setTimeout(change, retryMs)
      },
    )
  }
  const change = () => {
    changed = true
    clearImmediate(soon)
    soon = setImmediate(load)
  }
  const end = source.onChange(change)
  load()
  return {
    decide: async (question: Question): Promise<Decision> => {
      load()
      const [decision] = await judge.decide([question])
      if (decision === undefined) throw new TypeError('the judge gave no answer')
      return decision
    },
    problems: () => problems,
    loaded: () => !changed && judge.ready(),
    stop: () => {
      stopped = true
      end()
      clearImmediate(soon)
      clearTimeout(retry)
    },
  }
}
