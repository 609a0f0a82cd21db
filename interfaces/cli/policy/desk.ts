import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Desk, type Ran } from '../fake-servers.ts'

// For the tests of `jackstay policy`: a folder with files, and no server anywhere.

export class PolicyDesk {
  readonly folder = mkdtempSync(join(tmpdir(), 'jackstay-policy-'))
  readonly #desk = new Desk('http://127.0.0.1:2', 'http://127.0.0.1:2')

  /** Writes a file, and gives its path. */
  write(name: string, content: string | Uint8Array): string {
    const path = join(this.folder, name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, content)
    return path
  }

  policy(...line: readonly string[]): Promise<Ran> {
    return this.#desk.run(['policy', ...line])
  }

  piped(text: string, ...line: readonly string[]): Promise<Ran> {
    return this.#desk.run(['policy', ...line], undefined, text)
  }

  clean(): void {
    rmSync(this.folder, { recursive: true })
    this.#desk.clean()
  }
}

/** A policy with these rules, as YAML; `rules` begins in column 1. */
export function policyYaml(rules: string, name = 'p', spec = 'mode: enforce'): string {
  const indented = rules.trimEnd().replaceAll(/^/gm, '    ')
  return `apiVersion: jackstay.dev/v1alpha1
kind: ActionPolicy
metadata: { name: ${name} }
spec:
  ${spec}
  actions: [workload.scale]
  rules:
${indented}
`
}
