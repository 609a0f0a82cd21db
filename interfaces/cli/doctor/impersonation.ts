import { executorsNamespace, systemNamespace } from '@jackstay/contract/namespaces'
import type { BindingObject, PolicyRule } from '@jackstay/contract/rbac'
import { type Finding, note, wrong } from './findings.ts'
import { type Rights, rulesOf, shown } from './rights.ts'

type Subject = BindingObject['subjects'][number]

/** Somebody, and the binding that gives them something. */
interface Holder {
  readonly subject: Subject
  readonly binding: BindingObject
}

const most = 12

function listed(holders: readonly Holder[]): string {
  const all = [...new Set(holders.map(calledWithRole))].sort()
  const more = all.length > most ? `, and ${all.length - most} more` : ''
  return `${all.slice(0, most).join(', ')}${more}`
}

function called({ kind, name, namespace }: Subject): string {
  return `${kind} ${namespace === undefined ? name : `${namespace}/${name}`}`
}

function calledWithRole({ subject, binding }: Holder): string {
  return `${called(subject)} (${binding.roleRef.name})`
}

function holders(
  rights: Rights,
  where: (namespace: string | undefined) => boolean,
  gives: (rule: PolicyRule) => boolean,
): Holder[] {
  return rights.bindings
    .filter(({ metadata }) => where(metadata.namespace))
    .filter((binding) => rulesOf(binding, rights).some(gives))
    .flatMap((binding) => binding.subjects.map((subject) => ({ subject, binding })))
}

/** People, groups and extras are in no namespace: a RoleBinding gives nobody any of them. */
const everywhere = (namespace: string | undefined) => namespace === undefined

/** Whoever may become a person is trusted with all that people may: said, for it is nobody's mistake. */
export function mayImpersonate(rights: Rights): Finding[] {
  const people = holders(rights, everywhere, (rule) => becomes(rule, '', 'users'))
  const members = holders(rights, everywhere, (rule) => becomes(rule, '', 'groups') && isOpen(rule))
  const others = members.filter((one) => !people.some((p) => isSame(p.subject, one.subject)))
  return [
    ...whoMay(people, 'become any person, and approve as one', 'approvers'),
    ...whoMay(others, 'take on the group system:masters', 'administrators'),
  ]
}

function whoMay(found: readonly Holder[], what: string, like: string): Finding[] {
  if (found.length === 0) return []
  const next = `see that you trust each of them with all that ${like} may`
  return [note(`these may ${what}: ${listed(found)}`, next)]
}

function isOpen({ resourceNames }: PolicyRule): boolean {
  return resourceNames.length === 0 || resourceNames.includes('system:masters')
}

/**
 * Whoever may become an executor and name an intent writes as the mediator does, without one (T34, T85).
 * Administrators of the cluster may, and are among those who may become a person.
 */
export function mayActAsExecutor(rights: Rights, classes: readonly string[]): Finding[] {
  const bound = rights.bindings
    .flatMap(({ subjects }) => subjects)
    .filter(({ kind, namespace }) => kind === 'ServiceAccount' && namespace === executorsNamespace)
  // an executor is called as its class is
  const executors = [...classes, ...bound.map(({ name }) => name)]
  const become = holders(
    rights,
    (namespace) => namespace === undefined || namespace === executorsNamespace,
    (rule) => becomes(rule, '', 'serviceaccounts') && reaches(rule, executors),
  ).filter(isOther(rights))
  const name = holders(rights, everywhere, namesAnIntent).filter(isOther(rights))
  const writing = become.flatMap((one) => {
    const by = name.find(({ subject }) => mayBeOne(one.subject, subject))
    return by === undefined ? [] : [{ one, by }]
  })
  const reading = become.filter((one) => !writing.some((found) => found.one === one))
  return [...said(writing), ...onlyReading(reading)]
}

function said(writing: readonly { readonly one: Holder; readonly by: Holder }[]): Finding[] {
  return writing.map(({ one, by }) => {
    const [who, as] = [shown(one.binding), shown(by.binding)]
    const what = `${called(one.subject)} may write as an executor, with no intent at all: the ${who.name} lets it become one, the ${as.name} lets it name an intent`
    return wrong(what, `narrow either, or ${who.remove}`)
  })
}

function onlyReading(found: readonly Holder[]): Finding[] {
  if (found.length === 0) return []
  const what = `these may become an executor, but name no intent, so that the API server takes no write of theirs: ${listed(found)}`
  return [note(what, 'give none of them the right to impersonate userextras of jackstay.dev')]
}

/** Neither the mediator, whose work it is, nor who may do everything anyhow. */
function isOther(rights: Rights): (holder: Holder) => boolean {
  const masters = holders(rights, everywhere, (rule) => isEverything(rule))
  return ({ subject: { kind, name, namespace } }) =>
    !(kind === 'ServiceAccount' && name === mediator && namespace === systemNamespace) &&
    !masters.some((one) => isSame(one.subject, { kind, name, namespace }))
}

function isSame(a: Subject, b: Subject): boolean {
  return a.kind === b.kind && a.name === b.name && a.namespace === b.namespace
}

const mediator = 'jackstay-mediator'

function isEverything({ verbs, apiGroups, resources }: PolicyRule): boolean {
  return [verbs, apiGroups, resources].every((list) => list.includes('*'))
}

const has = (list: readonly string[], value: string) => list.includes(value) || list.includes('*')

function becomes({ verbs, resources, apiGroups }: PolicyRule, group: string, resource: string) {
  return has(verbs, 'impersonate') && has(apiGroups, group) && has(resources, resource)
}

function reaches({ resourceNames }: PolicyRule, executors: readonly string[]): boolean {
  return resourceNames.length === 0 || resourceNames.some((name) => executors.includes(name))
}

const intentExtra = 'jackstay.dev/intent'

function namesAnIntent(rule: PolicyRule): boolean {
  return ['userextras', '*'].some((resource) =>
    becomes(rule, 'authentication.k8s.io', `${resource}/${intentExtra}`),
  )
}

/** Whether two subjects can be of one caller; only the API server knows who is in which group. */
function mayBeOne(a: Subject, b: Subject): boolean {
  const [one, other] = [userOf(a), userOf(b)]
  if (one !== undefined && other !== undefined) return one === other
  if (one !== undefined) return mayBeIn(one, b.name)
  return other === undefined || mayBeIn(other, a.name)
}

function userOf({ kind, name, namespace = '' }: Subject): string | undefined {
  if (kind === 'Group') return undefined
  return kind === 'ServiceAccount' ? `${serviceAccount}:${namespace}:${name}` : name
}

const serviceAccount = 'system:serviceaccount'

function mayBeIn(user: string, group: string): boolean {
  if (group === 'system:authenticated') return true
  const isAccount = user.startsWith(`${serviceAccount}:`)
  // of a ServiceAccount all groups are known
  if (!isAccount) return !group.startsWith(`${serviceAccount}s`)
  const namespace = user.split(':')[2]
  return group === `${serviceAccount}s` || group === `${serviceAccount}s:${namespace}`
}
