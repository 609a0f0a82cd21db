/** How `jackstay` ends. Scripts switch on these: a number never changes its meaning. */
export const exitCodes = {
  /** Done; also when it had been done before. */
  ok: 0,
  /** Refused or failed: by the API server, a policy, the state of the subject, or a bug. */
  refused: 1,
  /** Wrong flag, argument, file or configuration: the same command will never work. */
  usage: 2,
  /** The mediator or the API server is away, or does not let this user in. */
  unreachable: 3,
  /** No such intent, class or file. */
  notFound: 4,
  /** The ledger does not verify, or the witnesses that a policy demands have not cosigned it. */
  ledger: 5,
  /** `status` could see everything, and something stands that people should look at. */
  attention: 6,
} as const

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]
