import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { chart } from '@jackstay/lab/install'
import { parseAllDocuments } from 'yaml'
import { z } from 'zod'

const policySchema = z.looseObject({
  kind: z.literal('ValidatingAdmissionPolicy'),
  metadata: z.looseObject({ name: z.string() }),
  spec: z.looseObject({
    failurePolicy: z.string(),
    paramKind: z.looseObject({ apiVersion: z.string(), kind: z.string() }).optional(),
    matchConstraints: z.looseObject({
      resourceRules: z.array(
        z.looseObject({
          apiGroups: z.array(z.string()),
          operations: z.array(z.string()),
          resources: z.array(z.string()),
        }),
      ),
    }),
    validations: z.array(z.looseObject({ expression: z.string(), reason: z.string() })),
  }),
})
const bindingSchema = z.looseObject({
  kind: z.literal('ValidatingAdmissionPolicyBinding'),
  metadata: z.looseObject({ name: z.string() }),
  spec: z.looseObject({ policyName: z.string(), validationActions: z.array(z.string()) }),
})

export type Policy = z.infer<typeof policySchema>
export type Binding = z.infer<typeof bindingSchema>

/** The admission policies of the chart with what binds each, as its files have them. */
export async function chartPolicies(): Promise<{ policy: Policy; bindings: Binding[] }[]> {
  const folder = join(chart, 'policies')
  const files = (await readdir(folder)).filter((file) => file.endsWith('.yaml'))
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')))
  const documents = texts.flatMap((text) =>
    parseAllDocuments(text, { version: '1.1' }).map((document): unknown => document.toJS()),
  )
  const parsed = documents.map((one) => z.union([policySchema, bindingSchema]).parse(one))
  const bindings = parsed.filter((one) => one.kind === 'ValidatingAdmissionPolicyBinding')
  return parsed
    .filter((one) => one.kind === 'ValidatingAdmissionPolicy')
    .map((policy) => ({
      policy,
      bindings: bindings.filter(({ spec }) => spec.policyName === policy.metadata.name),
    }))
}

/** The fields below `spec` that a policy on executors' fields keeps as they are. */
export async function specFieldsHeld(name: string): Promise<string[]> {
  const found = (await chartPolicies()).find(({ policy }) => policy.metadata.name === name)
  const expressions = found?.policy.spec.validations.map(({ expression }) => expression) ?? []
  return expressions.flatMap(
    (expression) => /^object\.spec\.\?(\w+) ==/.exec(expression)?.[1] ?? [],
  )
}
