import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type LabCluster, startLabCluster } from '@jackstay/lab/lab-cluster'
import { run } from '@jackstay/lab/shell'

/** What a command of kubectl came to. */
export interface Said {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** One line to type, without the name of the program. */
export interface Line {
  readonly text: string
  readonly stdin?: string
  /** Only looks, and may come too early. */
  readonly looks: boolean
}

export function look(text: string): Line {
  return { text, looks: true }
}

export function type(text: string, stdin?: string): Line {
  return { text, looks: false, ...(stdin !== undefined && { stdin }) }
}

/** Somebody's kubectl at one server. */
export class Kubectl {
  readonly #program: string
  readonly #kubeconfig: string
  readonly #cache: string
  readonly #namespace: string

  constructor(program: string, kubeconfig: string, cache: string, namespace: string) {
    this.#program = program
    this.#kubeconfig = kubeconfig
    this.#cache = cache
    this.#namespace = namespace
  }

  async run({ text, stdin }: Omit<Line, 'looks'>): Promise<Said> {
    const own = ['--kubeconfig', this.#kubeconfig, '--cache-dir', this.#cache]
    const args = [...own, '--namespace', this.#namespace, ...words(text)]
    const signal = AbortSignal.timeout(120_000)
    return await run(this.#program, args, { signal, ...(stdin !== undefined && { stdin }) })
  }
}

/** As a shell takes a line apart, single quotes included. */
function words(text: string): readonly string[] {
  return [...text.matchAll(/(?:[^\s'"]|'[^']*'|"[^"]*")+/g)].map(([word]) =>
    word.replace(/'([^']*)'|"([^"]*)"/g, '$1$2'),
  )
}

/** The lab's Kubernetes in a folder of its own. */
export class LabServer {
  #directory = ''
  #cluster: LabCluster | undefined
  readonly errors: unknown[] = []

  /** Without nodes its Pods are never placed, as on a control plane alone. */
  async start(program: string, nodes: readonly string[], namespace: string): Promise<Kubectl> {
    this.#directory = await mkdtemp(join(tmpdir(), 'jackstay-kubectl-'))
    this.#cluster = await startLabCluster({
      ...{ directory: this.#directory, port: 0, nodes },
      onError: (error) => void this.errors.push(error),
    })
    const cache = join(this.#directory, 'cache')
    return new Kubectl(program, this.#cluster.kubeconfig, cache, namespace)
  }

  async stop(): Promise<void> {
    await this.#cluster?.close()
    await rm(this.#directory, { recursive: true, force: true })
  }
}

/** Types the same lines at both, in order, and holds what they say against each other. */
export class Twins {
  readonly #real: Kubectl
  readonly #lab: Kubectl
  readonly #differences: Readonly<Record<string, string>>

  constructor(real: Kubectl, lab: Kubectl, differences: Readonly<Record<string, string>>) {
    this.#real = real
    this.#lab = lab
    this.#differences = differences
  }

  async take(line: Line): Promise<void> {
    const end = performance.now() + (line.looks ? 60_000 : 0)
    for (;;) {
      const [real, lab] = await Promise.all([this.#real.run(line), this.#lab.run(line)])
      const [theirs, ours] = [normal(real), normal(lab)]
      const same = JSON.stringify(theirs) === JSON.stringify(ours)
      if (same || this.#differences[line.text] !== undefined || performance.now() > end) {
        return this.#judge(line.text, theirs, ours)
      }
      await sleep(200)
    }
  }

  #judge(text: string, real: Said, lab: Said): void {
    if (this.#differences[text] === undefined) assert.deepEqual(lab, real, `kubectl ${text}`)
    else assert.notDeepEqual(lab, real, `\`kubectl ${text}\` differs no more: strike it off`)
  }
}

const uid = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g
const time = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g
const longTime = /[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d [+-]\d{4}/g

/** Without what is another on each server: times, ages, identities, revisions, hashes, places. */
function normal({ code, stdout, stderr }: Said): Said {
  return { code, stdout: plain(stdout), stderr: plain(stderr) }
}

function plain(text: string): string {
  const named = text
    .replace(/\/tmp\/(LIVE|MERGED)-\d+/g, '/tmp/$1')
    .replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)? [+-]\d{4}( UTC)?/g, '<time>')
    .replace(uid, '<uid>')
    .replace(time, '<time>')
    .replace(longTime, '<time>')
    .replace(/"?resourceVersion"?: "\d+"/g, 'resourceVersion: <revision>')
    .replace(/Resource Version: +\d+/g, 'Resource Version:  <revision>')
    .replace(/\b10\.\d+\.\d+\.\d+\b/g, '<ip>')
    // of an event: when it was
    .replace(/\.[0-9a-f]{16}\b/g, '.<id>')
    .replace(/https:\/\/(?:127\.0\.0\.1|<ip>):\d+/g, '<server>')
    // a template's hash, and what is made up for a Pod's name
    .replace(/-[bcdf-hj-np-tv-xz2456789]{8,10}(-[bcdf-hj-np-tv-xz2456789]{5})?\b/g, '-<hash>')
    .replace(/pod-template-hash([=:]) ?[a-z0-9]{8,10}/g, 'pod-template-hash$1<hash>')
    .replace(/\b(\d+[smhd])+\b/g, '<age>')
    // how often it was said by now
    .replace(/<age> \(x\d+ over <age>\)/g, '<age>')
    .replace(/(\S) {2,}/g, '$1  ')
    .replace(/ +$/gm, '')
  return named
}
