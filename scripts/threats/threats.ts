/** An attack that must fail, by the number that tests carry in their names. */
export interface Threat {
  readonly id: string
  readonly attack: string
  readonly must: string
}

/** As lines, so that the list reads like a list: id, what is tried, what must happen. */
const list = `
T01 | a signed intent is sent again: to another replica, after a restart | one effect, and the first answer again
T02 | one agent floods the memory of known intents | it is slowed down, others are not, and nothing young is forgotten
T03 | no algorithm, HMAC with the public key, critical or key-carrying headers | refused before anything is fetched
T04 | an intent as a proof of enrolment, and the reverse | refused
T05 | another audience, cluster or ServiceAccount | refused
T06 | a stolen token without the key, a stolen key without a token | refused
T07 | the token of a Pod that ended, ends or was replaced | refused at once
T08 | a second enrolment for one Pod | both keys are revoked
T09 | signed in the future, valid for long, clocks that jump | refused
T10 | a key twice in one JSON object | refused, and nobody sees two readings
T11 | names that reach into prototypes | refused, and prototypes stay as they are
T12 | numbers that are none, overflow, or have two forms | refused, nothing is rounded
T13 | huge, deep, compressed or endless bodies | refused with bounded memory; others stay fast
T14 | look-alike, hidden or reordering characters | refused in names, escaped in texts
T15 | bytes moved between neighbouring signed fields | another digest
T16 | unknown fields, newer versions | refused, never ignored
T17 | no policy, no kind, a cache out of step, a dead judge | denied, and not ready
T18 | a deny rule that fails | denied
T19 | rules edited while an intent is under way | decided again on the live ones before the first write
T20 | rules loosened while an intent waits | it is not let through in silence
T22 | a rule that would take for ever | stopped at its deadline, denied, and others go on
T23 | a regular expression that explodes | linear time, or refused
T24 | a burst at the edge of a limit | exactly as many as the limit says
T25 | short names, plurals, other versions, subresources | one form before any rule sees them
T26 | one large change split into many small ones | the budget counts them together
T27 | two agents that undo each other | stopped by the swings
T28 | approved in time, dispatched too late | denied
T29 | an agent states its own risk or confidence | not believed
T30 | an agent sends trace headers | never part of a decision
T31 | a covered field moves between rehearsal and write | the approval is void, nothing is written; status alone voids nothing
T32 | deleted and made again under the same name | refused by uid
T34 | roles that escalate, bind, impersonate or hold everything | refused by the API server
T35 | tokens of ServiceAccounts, certificates | refused by the API server
T36 | exec, attach, port-forward, proxies, ephemeral containers | refused by the API server
T37 | a template gains hostPath, privileges, another account, secrets | refused by the API server
T38 | secrets by side doors: annotations, copies, logs, errors | refused or redacted
T39 | finalizers added or removed | refused by the API server
T40 | crafted owner references | refused by the API server
T41 | Jackstay's own kinds, namespaces and admission configuration | refused by the API server
T43 | whole collections, empty selectors, namespaces | refused
T44 | patch tricks: escapes, nulls, apply with force | only the fields of the action
T45 | no answer to a write that landed | settled by reading, never sent again blindly
T46 | a crash before, between and after | exactly one effect
T47 | two mediators on one store | one effect
T51 | an approver who is somebody else, groups that are not theirs | refused by the API server
T52 | approving oneself, agents that approve, edited parameters | denied
T53 | nobody answers | expired, which is neither yes nor no
T54 | an approval for another digest, one used twice | at most one wins
T55 | text that moves, hides or pretends | people see the control plane's diff, and the agent's words escaped
T56 | a flood of approvals | capped, and one approval never stands for two intents
T58 | no approvals required, by configuration | denied
T69 | a log that is cut, edited, forked or replaced | noticed against a checkpoint kept elsewhere
T70 | a full disk, a lost sink | writes stop, stopping works
T71 | secrets and escapes in what agents say | redacted, escaped and cut before they are hashed
T72 | erasing | every proof still verifies
T73 | a suspension at any step, with every program dead | no further write
T74 | everybody at once at a half-open breaker; one agent's breaker for another | one probe, keys apart
T75 | an undo over somebody else's change | held, never overwritten, never called success
T76 | other tenants' names and intents | not found
T77 | forged alerts, wrong credentials, other namespaces in labels | refused, or context only
T80 | a namespace's own admin edits or deletes records | at most cancels
T81 | a token for one purpose used for another | refused
T83 | a misspelt field of ours, by any kind of request | refused, never dropped
T84 | approvals deleted, erased, made again, counted twice | no quorum
T85 | an agent impersonates, or is bound to more than reading | refused
T86 | our kinds are missing | executors are refused, everybody else's writes work
T87 | an executor's write without its marks and preconditions | refused by the API server
`

export const threats: readonly Threat[] = list
  .trim()
  .split('\n')
  .map((line) => {
    const [id = '', attack = '', must = ''] = line.split(' | ')
    return { id, attack, must }
  })

/** The numbers that a test's name carries: `T26`, and `T34–T37` for all of them. */
export function threatsIn(name: string): readonly string[] {
  const ranges = [...name.matchAll(/\bT(\d\d)(?:[–-]T(\d\d))?\b/g)]
  return ranges.flatMap(([, from = '', to = from]) => {
    const count = Number(to) - Number(from) + 1
    return Array.from({ length: Math.max(0, count) }, (_, i) => {
      return `T${String(Number(from) + i).padStart(2, '0')}`
    })
  })
}
